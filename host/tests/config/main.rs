#[test]
fn x(){println!("{}", serde_json::to_string_pretty(&spanway::config::x()).unwrap());}
