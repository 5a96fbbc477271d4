//! Counts every request in [`HttpMetrics`](crate::http_metrics::HttpMetrics).

use std::time::Instant;

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::web::Data;

use crate::state::State;

/// Counts every request, those that no route takes included.
pub(crate) async fn measure(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let Some(state) = request.app_data::<Data<State>>().cloned() else {
        return next.call(request).await;
    };
    let began = Instant::now();
    let method = request.method().clone();
    let pattern = request.match_pattern();
    let answer = next.call(request).await;
    let (status, pattern) = match &answer {
        // A slash at the end has been taken away by now.
        Ok(response) => (response.status(), response.request().match_pattern()),
        Err(error) => (error.as_response_error().status_code(), pattern),
    };
    let route = pattern.as_deref().unwrap_or("none");
    state.http_metrics.record(route, &method, status, began);
    answer
}

#[cfg(test)]
mod tests {
    use actix_web::http::Method;
    use actix_web::test::TestRequest;

    use crate::test_support::{TestApp, both_databases};

    both_databases!(requests_are_counted_by_route_and_not_by_path);

    async fn requests_are_counted_by_route_and_not_by_path(app: &TestApp) {
        let unknown = Method::from_bytes(b"BREW").unwrap();
        for request in [
            TestRequest::with_uri("/api/status"),
            TestRequest::with_uri("/api/status/"),
            TestRequest::post().uri("/api/status"),
            TestRequest::with_uri("/api/webhook/c6fd9e8e-5a0b-4d3f-9d0b-1f3d2f8a7b11"),
            TestRequest::with_uri("/nothing/here"),
            TestRequest::with_uri("/api/status").method(unknown),
        ] {
            app.send(request).await;
        }
        let text = app.metrics().await;
        for line in [
            r#"beadle_http_requests_total{method="GET",route="/api/status",status="200"} 2"#,
            r#"beadle_http_requests_total{method="POST",route="/api/status",status="405"} 1"#,
            r#"beadle_http_requests_total{method="GET",route="/api/webhook",status="401"} 1"#,
            r#"beadle_http_requests_total{method="GET",route="none",status="404"} 1"#,
            r#"beadle_http_requests_total{method="other",route="/api/status",status="501"} 1"#,
            r#"beadle_http_request_duration_seconds_count{method="GET",route="/api/status"} 2"#,
        ] {
            assert!(text.lines().any(|had| had == line), "{line} in\n{text}");
        }
        assert!(
            !text.contains("c6fd9e8e") && !text.contains("/nothing"),
            "{text}"
        );
    }
}
