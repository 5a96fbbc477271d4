//! [`Batcher`]: what is asked of the database at the same time goes there together.
//!
//! A few threads answer. What comes in while they are at the database waits, and is the next
//! batch: an idle process answers each at once, a busy one pays for a round trip once for
//! many. Nothing is remembered from one batch to the next.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use std::{fmt, thread};

use tokio::sync::oneshot;

use super::error::{DbError, one_line};

/// Questions that may wait. Whoever finds it full has to ask alone.
const QUEUE: usize = 1024;

/// Who answers.
#[derive(Debug, Clone, Copy)]
pub struct Threads {
    /// For those who look at the process.
    pub name: &'static str,
    /// More than one only if they have something to do while another waits for the disk.
    pub count: usize,
}

/// What became of one question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BatchOutcome<A> {
    /// It was answered.
    Answer(A),
    /// It has to be asked alone, for whatever reason: nothing has happened.
    Declined,
}

type Answer<A> = Result<BatchOutcome<A>, DbError>;

/// A question on its way. Whoever takes it out decides what becomes of it: a thread that
/// answers, or its caller who gives up.
type Slot<Q> = Arc<Mutex<Option<Q>>>;
type Waiting<Q, A> = (Slot<Q>, oneshot::Sender<Answer<A>>);

fn take_out<Q>(slot: &Mutex<Option<Q>>) -> Option<Q> {
    slot.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// Handle on the answering threads, which end when the handle is dropped.
pub struct Batcher<Q, A> {
    /// None: there is no thread, and everybody asks alone.
    queue: Option<SyncSender<Waiting<Q, A>>>,
    patience: Duration,
}

impl<Q, A> fmt::Debug for Batcher<Q, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batcher").finish_non_exhaustive()
    }
}

impl<Q: Send + 'static, A: Send + 'static> Batcher<Q, A> {
    /// Starts threads that each answer up to `most` questions at a time, in their order.
    /// Nobody waits longer than `patience` to be taken up. From then on everybody waits for
    /// what comes of it, since it may come to something: `answer` has to see to it that this
    /// has an end.
    pub fn start<F>(threads: Threads, most: usize, patience: Duration, answer: F) -> Self
    where
        F: Fn(Vec<Q>) -> Result<Vec<BatchOutcome<A>>, DbError> + Send + Sync + 'static,
    {
        let (queue, waiting) = sync_channel(QUEUE);
        let (waiting, answer) = (Arc::new(Mutex::new(waiting)), Arc::new(answer));
        let mut started = false;
        for _ in 0..threads.count {
            let (waiting, answer) = (Arc::clone(&waiting), Arc::clone(&answer));
            let thread = thread::Builder::new()
                .name(threads.name.to_owned())
                .spawn(move || run(&waiting, most.max(1), &*answer));
            if let Err(error) = &thread {
                let name = threads.name;
                tracing::warn!("no thread for `{name}`, which only costs speed: {error}");
            }
            started |= thread.is_ok();
        }
        Self {
            queue: started.then_some(queue),
            patience,
        }
    }

    /// Asks one question.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] if the database cannot be reached, or is too busy.
    pub async fn ask(&self, question: Q) -> Answer<A> {
        let (answer, mut waiting) = oneshot::channel();
        let Some(queue) = &self.queue else {
            return Ok(BatchOutcome::Declined);
        };
        let slot = Arc::new(Mutex::new(Some(question)));
        if queue.try_send((Arc::clone(&slot), answer)).is_err() {
            return Ok(BatchOutcome::Declined);
        }
        let answered = match tokio::time::timeout(self.patience, &mut waiting).await {
            Ok(answered) => answered,
            Err(_) if take_out(&slot).is_some() => {
                let patience = self.patience;
                let late = format!("not taken up within {patience:?}");
                return Err(DbError::Unavailable(late));
            }
            Err(_) => waiting.await,
        };
        match answered {
            Ok(answer) => answer,
            // The thread is gone, before it began or in the middle.
            Err(_) if take_out(&slot).is_some() => Ok(BatchOutcome::Declined),
            Err(_) => Err(DbError::Unavailable("broken off".to_owned())),
        }
    }
}

/// Waits for a question, and returns it with those that wait beside it. None: nobody asks
/// any more.
fn next<Q, A>(waiting: &Mutex<Receiver<Waiting<Q, A>>>, most: usize) -> Option<Vec<Waiting<Q, A>>> {
    let waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
    let first = waiting.recv().ok()?;
    let others = waiting.try_iter().take(most - 1);
    Some(std::iter::once(first).chain(others).collect())
}

fn run<Q, A, F>(waiting: &Mutex<Receiver<Waiting<Q, A>>>, most: usize, answer: &F)
where
    F: Fn(Vec<Q>) -> Result<Vec<BatchOutcome<A>>, DbError>,
{
    while let Some(batch) = next(waiting, most) {
        // Who has given up must not be surprised by what happens after all.
        let batch = batch.into_iter().filter(|(_, caller)| !caller.is_closed());
        let batch = batch.filter_map(|(slot, caller)| Some((take_out(&slot)?, caller)));
        let (questions, callers): (Vec<Q>, Vec<_>) = batch.unzip();
        if callers.is_empty() {
            continue;
        }
        let answered = catch_unwind(AssertUnwindSafe(|| answer(questions)));
        let mut answers = match answered {
            Ok(Ok(answers)) => Ok(answers.into_iter()),
            Ok(Err(DbError::Unavailable(reason))) => Err(reason),
            Ok(Err(error)) => {
                tracing::debug!("a batch failed, each is asked alone: {}", one_line(&error));
                Ok(Vec::new().into_iter())
            }
            Err(_) => {
                tracing::error!("answering a batch panicked, each is asked alone");
                Ok(Vec::new().into_iter())
            }
        };
        for caller in callers {
            let answer = match &mut answers {
                Ok(answers) => Ok(answers.next().unwrap_or(BatchOutcome::Declined)),
                Err(reason) => Err(DbError::Unavailable(reason.clone())),
            };
            // A caller that went away has no use for the answer.
            let _ = caller.send(answer);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{self, Sender};

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(60);

    const ONE: Threads = Threads {
        name: "test",
        count: 1,
    };

    type Batches = Arc<Mutex<Vec<Vec<u32>>>>;

    /// Doubles numbers. Each batch waits for a word that it may begin.
    fn doubling(most: usize) -> (Arc<Batcher<u32, u32>>, Sender<()>, Batches) {
        let (go, may_go) = mpsc::channel();
        let batches = Batches::default();
        let seen = Arc::clone(&batches);
        let may_go = Mutex::new(may_go);
        let batcher = Batcher::start(ONE, most, PATIENCE, move |questions: Vec<u32>| {
            // A panic below leaves it as it is.
            let may_go = may_go.lock().unwrap_or_else(PoisonError::into_inner);
            may_go.recv().expect("a word");
            seen.lock().expect("a lock").push(questions.clone());
            if questions.contains(&13) {
                return Err(DbError::Unavailable("13".to_owned()));
            }
            assert!(!questions.contains(&666), "asked for it");
            let doubled = questions.into_iter().map(|number| number * 2);
            Ok(doubled.map(BatchOutcome::Answer).collect())
        });
        (Arc::new(batcher), go, batches)
    }

    /// Asks the first, waits until it is taken up, and then the others.
    async fn ask(numbers: &[u32], most: usize) -> (Vec<Answer<u32>>, Vec<Vec<u32>>) {
        let (batcher, go, batches) = doubling(most);
        let mut asked = Vec::new();
        for number in numbers.iter().copied() {
            let batcher = Arc::clone(&batcher);
            asked.push(tokio::spawn(async move { batcher.ask(number).await }));
            tokio::task::yield_now().await;
        }
        for _ in numbers {
            go.send(()).expect("a thread");
        }
        let mut answers = Vec::new();
        for asked in asked {
            answers.push(asked.await.expect("an answer"));
        }
        let batches = batches.lock().expect("a lock").clone();
        (answers, batches)
    }

    #[tokio::test]
    async fn what_waits_together_is_asked_together_and_in_order() {
        let numbers: Vec<u32> = (101..=120).collect();
        let (answers, batches) = ask(&numbers, 8).await;
        for (number, answer) in numbers.iter().zip(answers) {
            assert_eq!(answer.expect("an answer"), BatchOutcome::Answer(number * 2));
        }
        assert_eq!(batches.concat(), numbers);
        assert!(batches.len() < 20 && batches.iter().all(|batch| batch.len() <= 8));
    }

    #[tokio::test]
    async fn a_database_that_is_away_is_told_to_all_who_wait() {
        let (answers, _) = ask(&[13], 8).await;
        assert!(matches!(answers[..], [Err(DbError::Unavailable(_))]));
    }

    #[tokio::test]
    async fn a_panic_sends_everybody_on_their_own_way_and_the_thread_goes_on() {
        let (answers, _) = ask(&[666, 4], 1).await;
        assert!(matches!(
            answers[..],
            [Ok(BatchOutcome::Declined), Ok(BatchOutcome::Answer(8))]
        ));
    }

    #[tokio::test]
    async fn whoever_gave_up_is_not_asked_for_any_more() {
        let (batcher, go, batches) = doubling(8);
        let first = tokio::spawn({
            let batcher = Arc::clone(&batcher);
            async move { batcher.ask(1).await }
        });
        tokio::task::yield_now().await;
        let (answer, given_up) = oneshot::channel();
        drop(given_up);
        let queue = batcher.queue.as_ref().expect("a thread");
        let question = Arc::new(Mutex::new(Some(2)));
        queue.send((question, answer)).expect("a queue");
        for _ in 0..3 {
            go.send(()).expect("a thread");
        }
        assert!(batcher.ask(3).await.is_ok());
        assert!(first.await.expect("an end").is_ok());
        assert_eq!(batches.lock().expect("a lock").concat(), [1, 3]);
    }

    #[tokio::test]
    async fn while_one_thread_waits_another_answers() {
        let (go, may_go) = mpsc::channel::<()>();
        let (begun, has_begun) = oneshot::channel();
        let (may_go, begun) = (Mutex::new(may_go), Mutex::new(Some(begun)));
        let threads = Threads { count: 2, ..ONE };
        let batcher = Batcher::start(threads, 8, PATIENCE, move |questions: Vec<u32>| {
            if questions.contains(&1) {
                let begun = begun.lock().expect("a lock").take();
                begun.expect("once").send(()).expect("a waiter");
                let _ = may_go.lock().expect("a lock").recv();
            }
            Ok(questions.into_iter().map(BatchOutcome::Answer).collect())
        });
        let batcher = Arc::new(batcher);
        let slow = tokio::spawn({
            let batcher = Arc::clone(&batcher);
            async move { batcher.ask(1).await }
        });
        has_begun.await.expect("a thread");
        assert!(matches!(batcher.ask(2).await, Ok(BatchOutcome::Answer(2))));
        go.send(()).expect("a thread");
        assert!(matches!(
            slow.await.expect("an end"),
            Ok(BatchOutcome::Answer(1))
        ));
    }

    #[tokio::test]
    async fn who_is_not_taken_up_in_time_gives_up_and_who_is_learns_what_came_of_it() {
        let (go, may_go) = mpsc::channel::<()>();
        let patience = Duration::from_millis(20);
        let (may_go, seen) = (Mutex::new(may_go), Batches::default());
        let batches = Arc::clone(&seen);
        let batcher = Batcher::start(ONE, 8, patience, move |questions: Vec<u32>| {
            batches.lock().expect("a lock").push(questions.clone());
            let _ = may_go.lock().expect("a lock").recv();
            Ok(questions.into_iter().map(BatchOutcome::Answer).collect())
        });
        let batcher = Arc::new(batcher);
        let begun = tokio::spawn({
            let batcher = Arc::clone(&batcher);
            async move { batcher.ask(1).await }
        });
        while seen.lock().expect("a lock").is_empty() {
            tokio::task::yield_now().await;
        }
        let late = batcher.ask(2).await;
        assert!(matches!(late, Err(DbError::Unavailable(_))), "{late:?}");
        drop(go);
        let begun = begun.await.expect("an end");
        assert!(matches!(begun, Ok(BatchOutcome::Answer(1))), "{begun:?}");
        // Nor does anything come of it later.
        assert!(matches!(batcher.ask(3).await, Ok(BatchOutcome::Answer(3))));
        assert_eq!(*seen.lock().expect("a lock"), [[1], [3]]);
    }
}
