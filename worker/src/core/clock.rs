//! Time and chance, as parameters.

use std::sync::Arc;

use beadle_common::unix_millis::UnixMillis;

/// What time it is.
pub type Clock = Arc<dyn Fn() -> UnixMillis + Send + Sync>;

/// A number from 0 to 1, new on each call.
pub type Jitter = Arc<dyn Fn() -> f64 + Send + Sync>;
