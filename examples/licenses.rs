//! Prints the licence texts of the libraries that the programs contain, for the packages: most licences want to be
//! handed on with the program.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{self, Write},
    path::Path,
    process::{Command, Stdio},
};

use anyhow::Context;
use serde_json::Value;

fn main() -> anyhow::Result<()> {
    let metadata = Command::new("cargo")
        .args(["metadata", "--locked", "--format-version=1", "--features=libcamera"])
        .args(["--filter-platform", "aarch64-unknown-linux-gnu"])
        .stderr(Stdio::inherit())
        .output()?;
    anyhow::ensure!(metadata.status.success(), "cargo metadata failed");
    let metadata: Value = serde_json::from_slice(&metadata.stdout)?;
    let of = |list: &Value, key: &str| -> BTreeMap<String, Value> {
        list.as_array()
            .into_iter()
            .flatten()
            .map(|entry| (entry[key].as_str().unwrap_or_default().to_owned(), entry.clone()))
            .collect()
    };
    let nodes = of(&metadata["resolve"]["nodes"], "id");
    let packages = of(&metadata["packages"], "id");
    let root = metadata["resolve"]["root"].as_str().context("no package")?;
    let mut out = io::stdout().lock();
    for id in contained(&nodes, root) {
        write_licences(&mut out, packages.get(id).context("an unknown package")?)?;
    }
    Ok(())
}

/// All that the package is made of, in order: not what builds it or tests it.
fn contained<'a>(nodes: &'a BTreeMap<String, Value>, root: &'a str) -> BTreeSet<&'a str> {
    let (mut found, mut left) = (BTreeSet::new(), vec![root]);
    while let Some(node) = left.pop().and_then(|id| nodes.get(id)) {
        for dependency in node["deps"].as_array().into_iter().flatten() {
            let kinds = dependency["dep_kinds"].as_array();
            let normal = kinds.into_iter().flatten().any(|kind| kind["kind"].is_null());
            if let (true, Some(id)) = (normal, dependency["pkg"].as_str())
                && found.insert(id)
            {
                left.push(id);
            }
        }
    }
    found
}

fn write_licences(out: &mut impl Write, package: &Value) -> anyhow::Result<()> {
    let text = |key: &str| package[key].as_str().unwrap_or_default();
    writeln!(out, "{}\n{} {}: {}\n", "=".repeat(80), text("name"), text("version"), text("license"))?;
    let folder = Path::new(text("manifest_path")).parent().context("a manifest without a folder")?;
    let mut files: Vec<_> = fs::read_dir(folder)?.filter_map(Result::ok).map(|entry| entry.path()).collect();
    files.sort();
    for file in files {
        let name = file.file_name().unwrap_or_default().to_string_lossy().to_uppercase();
        let tells = ["LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE"];
        if file.is_file() && tells.iter().any(|word| name.starts_with(word)) {
            writeln!(out, "{}\n", fs::read_to_string(&file)?.trim_end())?;
        }
    }
    Ok(())
}
