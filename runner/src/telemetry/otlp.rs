//! Export of traces to an OpenTelemetry collector, configured by the standard environment variables
//! (opentelemetry.io/docs/specs/otel, "OpenTelemetry Environment Variable Specification" and "OTLP Exporter Configuration").

use std::env;

use anyhow::Context as _;
use opentelemetry::trace::{
    SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState, TracerProvider,
};
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use tracing::{Span, Subscriber};
use tracing_opentelemetry::{OpenTelemetryLayer, OpenTelemetrySpanExt as _};
use tracing_subscriber::registry::LookupSpan;

use super::trace::TraceContext;

/// Traces are exported if one of these is set.
const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"];

/// Sends spans to the collector. Dropping it sends the remaining ones.
pub struct Exporter(SdkTracerProvider);

impl Exporter {
    /// The exporter that the environment configures, if any. Fails if the collector's address is malformed.
    pub fn from_env() -> anyhow::Result<Option<Self>> {
        let is_set = |name: &&str| env::var(name).is_ok_and(|value| !value.is_empty());
        let Some(name) = ENDPOINTS.into_iter().find(is_set) else { return Ok(None) };
        if env::var("OTEL_SDK_DISABLED").is_ok_and(|value| value.eq_ignore_ascii_case("true")) {
            return Ok(None);
        }
        let exporter = SpanExporter::builder().with_http().build().with_context(|| format!("{name} is unusable"))?;
        let mut resource = Resource::builder();
        if env::var_os("OTEL_SERVICE_NAME").is_none() {
            resource = resource.with_service_name("wiki-runner");
        }
        let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource.build());
        Ok(Some(Self(provider.build())))
    }

    /// A layer that turns spans of the runner into OpenTelemetry spans.
    pub fn layer<S: Subscriber + for<'a> LookupSpan<'a>>(&self) -> OpenTelemetryLayer<S, SdkTracer> {
        tracing_opentelemetry::layer()
            .with_tracer(self.0.tracer("wiki-runner"))
            .with_location(false)
            .with_threads(false)
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        if let Err(error) = self.0.shutdown() {
            tracing::warn!("the last traces could not be sent: {error}");
        }
    }
}

/// Makes `span` part of the client's trace, if there is one. Returns the context under which the collector records it.
pub fn join(span: &Span, parent: Option<TraceContext>) -> Option<TraceContext> {
    if let Some(parent) = parent {
        let flags = if parent.sampled { TraceFlags::SAMPLED } else { TraceFlags::default() };
        let (trace, id) = (TraceId::from(parent.trace), SpanId::from(parent.span));
        let context = SpanContext::new(trace, id, flags, true, TraceState::default());
        _ = span.set_parent(opentelemetry::Context::new().with_remote_span_context(context));
    }
    let context = span.context();
    let own = context.span().span_context().clone();
    own.is_valid().then(|| TraceContext {
        trace: u128::from_be_bytes(own.trace_id().to_bytes()),
        span: u64::from_be_bytes(own.span_id().to_bytes()),
        sampled: own.is_sampled(),
    })
}
