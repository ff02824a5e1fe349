//! What the formats look like, and what holds of all of them.

use super::samples;

#[test]
fn show() {
    for explanation in samples::all() {
        let rules = explanation.rules();
        std::fs::write(
            format!("/tmp/explain/{}.svg", &rules.selector[..2]),
            rules.to_svg(),
        )
        .unwrap();
        std::fs::write(
            format!("/tmp/explain/{}.mmd", &rules.selector[..2]),
            rules.to_mermaid(),
        )
        .unwrap();
        println!("{}", rules.text(90));
    }
}
