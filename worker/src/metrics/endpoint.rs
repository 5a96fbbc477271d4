//! Shows the metrics of a worker process, which serves nothing else. Off unless asked for.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use beadle_common::db::Db;
use beadle_common::unix_millis::UnixMillis;
use bytes::Bytes;
use clap::Args;
use http_body_util::Full;
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::{Metrics, TEXT_FORMAT};

/// Connections at a time; further ones wait. More would only take memory from deliveries.
const CONNECTIONS: usize = 8;

/// How long one connection may last, so that idle ones do not keep others out.
const PATIENCE: Duration = Duration::from_secs(15);

/// After a connection that could not be accepted, as when there are no file handles left.
const PAUSE: Duration = Duration::from_millis(200);

/// Options about metrics.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Metrics")]
pub struct MetricsSettings {
    /// Address to show metrics for Prometheus on, at /metrics. For trusted networks only:
    /// nobody is asked for a key
    #[arg(
        long,
        alias = "beadle-metrics-listen",
        env = "BEADLE_METRICS_LISTEN",
        value_name = "BEADLE_METRICS_LISTEN"
    )]
    pub metrics_listen: Option<SocketAddr>,
}

/// `GET /metrics`, listening.
#[derive(Debug)]
pub struct Endpoint {
    listener: TcpListener,
    page: Arc<Page>,
}

#[derive(Debug)]
struct Page {
    metrics: Metrics,
    db: Db,
}

impl Endpoint {
    /// Listens on this address.
    ///
    /// # Errors
    /// If that is not possible.
    pub async fn bind(address: SocketAddr, metrics: Metrics, db: Db) -> std::io::Result<Self> {
        Ok(Self {
            listener: TcpListener::bind(address).await?,
            page: Arc::new(Page { metrics, db }),
        })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// If the system does not say.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers until it is dropped.
    pub async fn serve(self) {
        let turns = Arc::new(Semaphore::new(CONNECTIONS));
        // The semaphore is never closed.
        while let Ok(turn) = Arc::clone(&turns).acquire_owned().await {
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    let page = Arc::clone(&self.page);
                    tokio::spawn(async move {
                        answer(stream, page).await;
                        drop(turn);
                    });
                }
                Err(error) => {
                    tracing::warn!("cannot accept a connection for metrics: {error}");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}

/// One request, and the end of the connection.
async fn answer(stream: TcpStream, page: Arc<Page>) {
    let service = service_fn(move |request| {
        let page = Arc::clone(&page);
        async move { Ok::<_, Infallible>(page.respond(&request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    match tokio::time::timeout(PATIENCE, connection).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!("a reader of metrics: {error}"),
        Err(_) => tracing::debug!("a reader of metrics took longer than {PATIENCE:?}"),
    }
}

impl Page {
    async fn respond<B>(&self, request: &Request<B>) -> Response<Full<Bytes>> {
        if request.uri().path() != "/metrics" {
            return of_status(StatusCode::NOT_FOUND);
        }
        if request.method() != Method::GET {
            let mut response = of_status(StatusCode::METHOD_NOT_ALLOWED);
            let allowed = HeaderValue::from_static("GET");
            response.headers_mut().insert(ALLOW, allowed);
            return response;
        }
        match self.metrics.show(&self.db, UnixMillis::now()).await {
            Ok(text) => {
                let mut response = Response::new(Full::from(text));
                let format = HeaderValue::from_static(TEXT_FORMAT);
                response.headers_mut().insert(CONTENT_TYPE, format);
                response
            }
            Err(error) => {
                tracing::error!("metrics cannot be shown: {error}");
                of_status(StatusCode::INTERNAL_SERVER_ERROR)
            }
        }
    }
}

fn of_status(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::default();
    *response.status_mut() = status;
    response
}
