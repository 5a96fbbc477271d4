//! Counts requests, by the pattern of their route: paths hold Ids, and there is no end of them.

use std::time::Instant;

use actix_web::http::{Method, StatusCode};
use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry};

use crate::methods::KNOWN_METHODS;

/// Seconds: from a read to all that a webhook may be waited for.
const SECONDS: [f64; 11] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0,
];

/// What is counted of requests.
#[derive(Debug, Clone)]
pub(crate) struct HttpMetrics {
    answered: IntCounterVec,
    seconds: HistogramVec,
}

impl HttpMetrics {
    /// Adds itself to the registry.
    pub(crate) fn new(registry: &Registry) -> prometheus::Result<Self> {
        let answered = Opts::new("beadle_http_requests_total", "Requests that were answered");
        let seconds = HistogramOpts::new(
            "beadle_http_request_duration_seconds",
            "How long requests took until they were answered",
        );
        let requests = Self {
            answered: IntCounterVec::new(answered, &["route", "method", "status"])?,
            seconds: HistogramVec::new(seconds.buckets(SECONDS.to_vec()), &["route", "method"])?,
        };
        registry.register(Box::new(requests.answered.clone()))?;
        registry.register(Box::new(requests.seconds.clone()))?;
        Ok(requests)
    }

    /// Counts one, and how long it took.
    pub(crate) fn record(&self, route: &str, method: &Method, status: StatusCode, began: Instant) {
        let method = match KNOWN_METHODS.contains(method) {
            true => method.as_str(),
            false => "other",
        };
        let labels = [route, method, status.as_str()];
        self.answered.with_label_values(&labels).inc();
        let seconds = self.seconds.with_label_values(&[route, method]);
        seconds.observe(began.elapsed().as_secs_f64());
    }
}
