//! The load driver: takes actions over keep-alive connections, back to back or on a
//! fixed schedule.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Result, ensure};
use hyper::Method;
use tokio::task::LocalSet;
use tokio::time::Instant;

use crate::client::{Api, Connection};
use crate::system::Stock;

/// How actions are taken.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// How many in all.
    pub count: usize,
    /// Connections that take them.
    pub clients: usize,
    /// Actions a second; `None`: as fast as they are answered.
    pub rate: Option<f64>,
}

/// What came of it.
#[derive(Debug)]
pub struct Driven {
    /// From the first request to the last answer.
    pub wall: Duration,
    /// Microseconds from request to answer.
    pub answers: Vec<u64>,
}

/// What the connections share.
struct Course {
    load: Load,
    began: Instant,
    next: Cell<usize>,
    answers: RefCell<Vec<u64>>,
}

/// Takes the actions. Anything but 200 is an error.
pub async fn drive(api: &Api, stock: &Stock, load: Load) -> Result<Driven> {
    let course = Rc::new(Course {
        load,
        began: Instant::now(),
        next: Cell::new(0),
        answers: RefCell::default(),
    });
    let local = LocalSet::new();
    let clients: Vec<_> = (0..load.clients)
        .map(|_| {
            let (api, stock, course) = (api.clone(), stock.clone(), Rc::clone(&course));
            local.spawn_local(async move { client(api, stock, course).await })
        })
        .collect();
    local
        .run_until(async {
            for client in clients {
                client.await??;
            }
            anyhow::Ok(())
        })
        .await?;
    Ok(Driven {
        wall: course.began.elapsed(),
        answers: course.answers.take(),
    })
}

async fn client(api: Api, stock: Stock, course: Rc<Course>) -> Result<()> {
    let mut connection = Connection::new(&api);
    loop {
        let number = course.next.get();
        if number >= course.load.count {
            return Ok(());
        }
        course.next.set(number + 1);
        if let Some(rate) = course.load.rate {
            let number = f64::from(u32::try_from(number)?);
            let due = course.began + Duration::from_secs_f64(number / rate);
            tokio::time::sleep_until(due).await;
        }
        let asked = Instant::now();
        let body = stock.action(number);
        let (status, body) = connection
            .send(Method::POST, "/api/user/action", body)
            .await?;
        ensure!(
            status == 200,
            "taking an action: {status} {}",
            String::from_utf8_lossy(&body)
        );
        let micros = u64::try_from(asked.elapsed().as_micros())?;
        course.answers.borrow_mut().push(micros);
    }
}
