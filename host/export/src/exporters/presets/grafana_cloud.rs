//! Grafana Cloud.

use crate::exporters::{OtlpExporter, Secret};

/// [Grafana Cloud](https://grafana.com/products/cloud/), over HTTP.
///
/// # Examples
/// ```
/// use spanmux::exporters::{Exporter, GrafanaCloud};
///
/// let exporter = Exporter::from(GrafanaCloud::new("prod-eu-west-2", "123456", "glc_…"));
/// assert_eq!(
///     exporter.endpoint().as_deref(),
///     Some("https://otlp-gateway-prod-eu-west-2.grafana.net/otlp/v1/traces")
/// );
/// ```
///
/// # Source
/// <https://grafana.com/docs/grafana-cloud/send-data/otlp/send-data-otlp/>
#[derive(Clone, Debug)]
#[must_use = "a preset does nothing until a tracer has it"]
pub struct GrafanaCloud {
    zone: String,
    instance_id: String,
    token: Secret,
}

impl GrafanaCloud {
    /// Sends to a stack, given by its zone (`prod-eu-west-2`), its instance id and a token
    /// with permission to write traces. The OpenTelemetry page of the stack shows all of
    /// them.
    pub fn new(
        zone: impl Into<String>,
        instance_id: impl Into<String>,
        token: impl Into<Secret>,
    ) -> Self {
        Self {
            zone: zone.into(),
            instance_id: instance_id.into(),
            token: token.into(),
        }
    }
}

impl From<GrafanaCloud> for OtlpExporter {
    fn from(preset: GrafanaCloud) -> Self {
        let gateway = format!("https://otlp-gateway-{}.grafana.net/otlp", preset.zone);
        OtlpExporter::http(gateway)
            .named("grafana_cloud")
            .basic(&preset.instance_id, preset.token)
    }
}
