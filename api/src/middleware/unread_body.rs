//! Bodies that nobody has read to their end: their connections are closed.
//!
//! One of a known length is seen to by the server. One that comes in chunks would be drained
//! however much of it there is, and whoever was refused could go on sending for ever, unless
//! the server still sees somebody who has not read it all when the answer is written.

use std::cell::RefCell;
use std::error::Error as StdError;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::Error;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::TRANSFER_ENCODING;
use actix_web::middleware::Next;
use actix_web::web::Bytes;
use futures_util::{StreamExt, stream};

/// Keeps the rest of a chunked body until the answer is written.
pub(crate) async fn close_unread(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    if !request.headers().contains_key(TRANSFER_ENCODING) {
        return Ok(next.call(request).await?.map_into_left_body());
    }
    let unread = share(&mut request);
    let response = next.call(request).await?.map_into_boxed_body();
    let answer = |_: &mut _, body| Beside {
        body,
        _unread: unread,
    };
    Ok(response.map_body(answer).map_into_right_body())
}

/// What the request reads, and whoever has this too.
fn share(request: &mut ServiceRequest) -> Rc<RefCell<Payload>> {
    let (_, payload) = request.parts_mut();
    let unread = Rc::new(RefCell::new(payload.take()));
    let shared = Rc::clone(&unread);
    let pieces = stream::poll_fn(move |context| shared.borrow_mut().poll_next_unpin(context));
    *payload = Payload::Stream {
        payload: Box::pin(pieces),
    };
    unread
}

/// The body of an answer, with what was not read of the request.
struct Beside {
    body: BoxBody,
    _unread: Rc<RefCell<Payload>>,
}

impl MessageBody for Beside {
    type Error = Box<dyn StdError>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(context)
    }
}
