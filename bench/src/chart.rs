//! The report as a picture: requests per second at 32 connections, a bar for each peer.

use std::fmt::Write as _;

use crate::report::{Cell, Report};
use crate::table::{distinct, grouped};

const CONNECTIONS: u32 = 32;
const WIDTH: f64 = 860.0;
/// Where bars begin; the names of workloads and peers stand before.
const LEFT: f64 = 190.0;
/// What the numbers behind bars need.
const RIGHT: f64 = 90.0;
const BAR: f64 = 15.0;
const GAP: f64 = 16.0;
const TOP: f64 = 48.0;

/// An SVG image. Empty of bars when nothing was measured at 32 connections.
///
/// Bars of one workload are to one scale, and the scale of each workload is its own: searches are no health checks.
pub fn svg(report: &Report) -> String {
    let rows = report.cells.iter().map(|cell| cell.rows).min().unwrap_or_default();
    let cells: Vec<&Cell> =
        report.cells.iter().filter(|cell| cell.connections == CONNECTIONS && cell.rows == rows).collect();
    let mut body = String::new();
    let mut y = TOP;
    for workload in distinct(cells.iter().map(|cell| &cell.workload)) {
        let of_this: Vec<&&Cell> = cells.iter().filter(|cell| cell.workload == *workload).collect();
        let most = of_this.iter().map(|cell| cell.rps).fold(1.0, f64::max);
        _ = writeln!(body, r#"<text x="8" y="{:.0}" class="workload">{}</text>"#, y + 12.0, escaped(workload));
        for cell in of_this {
            let width = (WIDTH - LEFT - RIGHT) * cell.rps / most;
            let (middle, end) = (y + 12.0, LEFT + width + 6.0);
            let peer = escaped(&cell.peer);
            _ = writeln!(body, r#"<text x="{:.0}" y="{middle:.0}" class="peer">{peer}</text>"#, LEFT - 8.0);
            let class = if cell.peer == "runner" { "bar wiki" } else { "bar" };
            _ = writeln!(
                body,
                r#"<rect x="{LEFT}" y="{y:.0}" width="{width:.1}" height="{BAR}" class="{class}"/><text x="{end:.1}" y="{middle:.0}">{}</text>"#,
                grouped(cell.rps)
            );
            y += BAR + 3.0;
        }
        y += GAP;
    }
    let title =
        format!("Requests per second at {CONNECTIONS} connections, {} pages, {}", grouped(rows as f64), report.date);
    let title = escaped(&title);
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y:.0}" role="img" aria-label="{title}">
<style>
svg {{ background: #fff; font: 13px system-ui, sans-serif; fill: #222; }}
.title {{ font-size: 16px; font-weight: 600; }}
.workload {{ font-weight: 600; }}
.peer {{ text-anchor: end; }}
.bar {{ fill: #9db4c8; }}
.wiki {{ fill: #c2571a; }}
</style>
<rect width="100%" height="100%" fill="#fff"/>
<text x="8" y="26" class="title">{title}</text>
{body}</svg>
"##
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(peer: &str, connections: u32, rps: f64) -> Cell {
        Cell { workload: "get_user".into(), peer: peer.into(), connections, rows: 1000, rps, ..Cell::default() }
    }

    #[test]
    fn bars_are_to_scale() {
        let cells = vec![cell("runner", 32, 500.0), cell("native", 32, 1000.0), cell("native", 1, 9.0)];
        let image = svg(&Report { cells, ..Report::default() });
        assert!(image.contains(r#"width="290.0" height="15" class="bar wiki""#), "{image}");
        assert!(image.contains(r#"width="580.0" height="15" class="bar"/>"#), "{image}");
        assert!(image.contains(">1,000</text>") && !image.contains(">9</text>"), "{image}");
    }

    #[test]
    fn names_are_escaped_and_nothing_is_fine() {
        let image = svg(&Report { cells: vec![cell("a<b&\"c\"", 32, 1.0)], ..Report::default() });
        assert!(image.contains("a&lt;b&amp;&quot;c&quot;"), "{image}");
        assert!(svg(&Report::default()).ends_with("</svg>\n"));
    }
}
