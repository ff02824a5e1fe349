#![allow(clippy::unwrap_used)]

use super::*;

#[test]
fn every_template_is_complete() {
    for template in languages() {
        let files = template.files("by-tier");
        let named = |name: &str| files.iter().any(|(place, _)| place == name);
        for name in [FILE, "cases.toml", "README.md", ".gitignore"] {
            assert!(named(name), "{}: no {name}", template.language);
        }
        for (place, content) in &files {
            let text = String::from_utf8_lossy(content);
            let left = ["{{name}}", "{{kit}}"].map(|mark| text.contains(mark));
            assert_eq!(left, [false, false], "{}: {place}", template.language);
        }
        let project = template.project("by-tier").unwrap();
        assert_eq!(project.selector.name, "by-tier", "{}", template.language);
        let without = project.tools.iter().find(|tool| tool.install.is_empty());
        assert!(without.is_none(), "{}: no remedy", template.language);
    }
    assert!(
        languages()
            .iter()
            .any(|template| template.language == "rust")
    );
}

#[test]
fn parse_reports_the_mistake_when_selector_toml_is_invalid() {
    let about = "[selector]\nname = \"x\"\nlanguage = \"C\"\n";
    for (rest, said) in [
        ("[build]\nstep = []\n", "unknown field `step`"),
        ("[build]\nsteps = []\n", "missing field `module`"),
        (
            "[build]\nsteps = [[]]\nmodule = \"m\"\n",
            "a command is empty",
        ),
        ("[[tool]]\nrun = []\ninstall = \"\"\n", "a command is empty"),
    ] {
        let error = Project::parse(&format!("{about}{rest}")).unwrap_err();
        assert!(error.to_string().contains(said), "{rest}: {error}");
    }
}
