//! What the documents on security and privacy promise: that the tests they name exist, and that nothing is left out.

use std::{collections::BTreeSet, fs, path::Path};

/// The provisions of ETSI EN 303 645 version 3.1.3, by the last number of each clause.
const PROVISIONS: [(&str, &[&str]); 15] = [
    ("5.0-", &["1"]),
    ("5.1-", &["1", "2", "2A", "3", "4", "5"]),
    ("5.2-", &["1", "2", "3"]),
    (
        "5.3-",
        &[
            "1", "2", "3", "4A", "4B", "5", "6A", "6B", "7", "8", "9", "10", "11", "12", "13", "14", "15A",
            "15B", "16",
        ],
    ),
    ("5.4-", &["1", "2", "3", "4"]),
    ("5.5-", &["1", "2", "3", "4", "5", "6", "7", "8"]),
    ("5.6-", &["1", "2", "3", "4A", "4B", "5", "6", "7", "8", "9"]),
    ("5.7-", &["1", "2"]),
    ("5.8-", &["1", "2", "3"]),
    ("5.9-", &["1", "2", "3"]),
    ("5.10-", &["1"]),
    ("5.11-", &["1", "2", "3", "4"]),
    ("5.12-", &["1", "2", "3"]),
    ("5.13-", &["1A", "1B"]),
    ("6-", &["1", "2", "3A", "3B", "4", "5", "6", "7", "8"]),
];

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The rows of the table of provisions: the cells of each.
fn rows(document: &str) -> Vec<Vec<&str>> {
    let table = document.split_once("## ETSI EN 303 645\n").expect("the table is there").1;
    let rows = table.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| **"));
    rows.map(|line| line.trim_matches('|').split('|').map(str::trim).collect()).skip(2).collect()
}

#[test]
fn each_provision_has_its_row_and_each_test_that_is_named_exists() {
    let document = read("docs/security.md");
    let rows = rows(&document);
    let provisions =
        PROVISIONS.iter().flat_map(|(clause, ends)| ends.iter().map(move |end| format!("{clause}{end}")));
    let known: Vec<String> = provisions.collect();
    let told: Vec<&str> = rows.iter().map(|row| row[0].split(' ').next().unwrap()).collect();
    assert_eq!(told, known);
    let mut tests = BTreeSet::new();
    for row in &rows {
        assert_eq!(row.len(), 5, "{row:?}");
        assert!(matches!(row[1], "M" | "R"), "{row:?}");
        assert!(["Yes", "Partly", "No", "No proof", "N/A", "System", "Owner"].contains(&row[2]), "{row:?}");
        for named in row[4].split('`').skip(1).step_by(2) {
            let (file, name) = named.split_once(": ").unwrap_or((named, ""));
            let text = read(file);
            let is_there = if file.ends_with(".rs") && !name.is_empty() {
                text.contains(&format!("fn {name}("))
            } else {
                text.contains(name)
            };
            assert!(is_there, "{}: there is no {name} in {file}", row[0]);
            tests.insert(named);
        }
    }
    assert!(tests.len() > 30, "{}", tests.len());
}

#[test]
fn the_policy_tells_contact_times_and_versions() {
    let policy = read("SECURITY.md");
    for told in
        ["Report a vulnerability", "within 7 days", "90 days", "## Supported versions", "the newest release"]
    {
        assert!(policy.contains(told), "no {told:?}");
    }
}

#[test]
fn what_erase_removes_is_told_in_the_page_on_privacy() {
    let page = read("docs/privacy.md");
    for file in
        ["access.json", "stats.json", "controls.json", "ledger.jsonl", "ledger.jsonl.1", "image_stream.jpg"]
    {
        assert!(page.contains(file), "no {file}");
    }
}
