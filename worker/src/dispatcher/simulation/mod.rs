//! Simulation: days of delivery in milliseconds, with everything going wrong.
//!
//! Real workers ([`worker`]) on a real database are driven step by step; the clock, the
//! receivers ([`receivers`]) and every choice come from one seed ([`random`]). Nothing of
//! the policy is done here: what must hold, whatever happens, is in [`checks`].
//!
//! `BEADLE_SIM_SEED` repeats one seed, `BEADLE_SIM_SEEDS` says how many to try.

mod checks;
mod random;
mod receivers;
mod snapshot;
mod worker;
mod world;

use beadle_common::outbox::DeliveryState;
use beadle_common::test_support::TestDb;

use random::Random;
use receivers::{ANSWERS, Answer, Temper, Wish};
use world::{Chaos, World};

/// Says which seed failed.
struct Witness(u64);

impl Drop for Witness {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!(
                "the simulation failed: repeat it with BEADLE_SIM_SEED={}",
                self.0
            );
        }
    }
}

fn setting(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    Some(value.parse().unwrap())
}

/// One runtime for each seed: what a crash leaves behind goes with it.
fn run(seed: u64, simulation: impl AsyncFnOnce(u64)) {
    let _witness = Witness(seed);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(simulation(seed));
}

fn run_many(test: &TestDb, first: u64, usual: u64, chaos: Chaos) {
    let seeds = match setting("BEADLE_SIM_SEED") {
        Some(seed) => seed..seed + 1,
        None => first..first + setting("BEADLE_SIM_SEEDS").unwrap_or(usual),
    };
    for seed in seeds {
        run(seed, async |seed| {
            let mut world = World::new(&test.db, seed, chaos).await;
            world.furnish().await;
            world.run().await;
        });
    }
}

/// Every kind of failure but 410 through the whole schedule.
fn every_failure_goes_through_the_whole_schedule(test: &TestDb) {
    let lasting = |answer: &Answer| match answer {
        Answer::Status(status, _) => *status >= 300,
        Answer::Broken(_) | Answer::NotNow => true,
        Answer::Unsendable | Answer::Unwanted | Answer::Missing => false,
    };
    let failures: Vec<Answer> = ANSWERS.into_iter().filter(lasting).collect();
    run(setting("BEADLE_SIM_SEED").unwrap_or(0), async |seed| {
        let mut world = World::new(&test.db, seed, Chaos::None).await;
        let tempers = failures.iter().map(|answer| Temper::Always(*answer));
        world.furnish_with(&tempers.collect::<Vec<_>>()).await;
        world.run().await;
        world.check_all(DeliveryState::Exhausted).await;
        assert!(
            world.elapsed() >= (75 * 3600 + 35 * 60 + 5) * 1000,
            "too early"
        );
    });
}

/// A destination that says 410 keeps what it has, and gets it once it is enabled.
fn what_is_gone_is_held_until_it_is_enabled(test: &TestDb) {
    run(setting("BEADLE_SIM_SEED").unwrap_or(0), async |seed| {
        let mut world = World::new(&test.db, seed, Chaos::None).await;
        let gone = Temper::Until(Answer::Status(410, Wish::None), 3_600_000);
        world.furnish_with(&[gone, gone]).await;
        world.run().await;
        world.check_all_held().await;
        world.pass(3_600_000);
        world.enable_all().await;
        world.run().await;
        world.check_all(DeliveryState::Delivered).await;
    });
}

#[test]
fn the_schedule_on_sqlite() {
    every_failure_goes_through_the_whole_schedule(&TestDb::sqlite());
    what_is_gone_is_held_until_it_is_enabled(&TestDb::sqlite());
}

#[test]
fn the_schedule_on_postgres() {
    every_failure_goes_through_the_whole_schedule(&TestDb::postgres());
    what_is_gone_is_held_until_it_is_enabled(&TestDb::postgres());
}

#[test]
fn calm_days_on_sqlite() {
    run_many(&TestDb::sqlite(), 0, 20, Chaos::None);
}

#[test]
fn crashes_on_sqlite() {
    run_many(&TestDb::sqlite(), 1000, 30, Chaos::Crashes);
}

#[test]
fn crashes_and_jumping_clocks_on_sqlite() {
    run_many(&TestDb::sqlite(), 2000, 40, Chaos::Everything);
}

#[test]
fn calm_days_on_postgres() {
    run_many(&TestDb::postgres(), 3000, 4, Chaos::None);
}

#[test]
fn crashes_and_jumping_clocks_on_postgres() {
    run_many(&TestDb::postgres(), 4001, 6, Chaos::Everything);
}
