//! `build`: the npm package in `pkg/`, and the server.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use flate2::{Compression, write::DeflateEncoder};
use message_extensions_core::code::CODES;
use serde_json::{Map, Value};

use crate::codes;
use crate::repo::{Repo, copy_folder, fresh_folder, read, write};
use crate::setup::Ready;
use crate::short_names;

/// What wasm-bindgen makes: `message_extensions.js`, the glue, and [`WASM`].
const NAME: &str = "message_extensions";
/// The same of the server that tests have in their page.
const TESTING: &str = "message_extensions_testing";
/// The compiled SDK in the package.
pub(crate) const WASM: &str = "message_extensions_bg.wasm";
/// The package's first entry, with the glue in it.
pub(crate) const ENTRY: &str = "index.js";
/// The wasm as the entry contains it that loads no file; gone into the script when the package is built.
const EMBEDDED: &str = "message_extensions_bg.deflate";

/// An entry with what it imports, on its way into the package.
const BUNDLE: &str = "bundle.js";

/// The entry for tests, whose client gets a network inside the page in the place of the page's own. It contains all of its wasm
/// as it is, so that it needs nothing of its host.
const TEST_ENTRY: &str = "testing.js";
const IN_PAGE_NETWORK: [&str; 4] = [
    "--loader:.wasm=base64",
    "--inject:./testing-globals.js",
    "--define:globalThis.addEventListener=addNetworkListener",
    "--define:globalThis.removeEventListener=removeNetworkListener",
];

/// What `load.js` takes of the glue, in the place of the glue's own loader, which knows every host there is.
const PARTS_OF_LOADING: &str = "export { __wbg_get_imports as getImports, __wbg_finalize_init as begin };\n";

/// The package's version: all crates share one.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What rustc emits for wasm today, so that wasm-opt may read it and use it.
const FEATURES: &[&str] = &[
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// Inlining functions that are called once saves raw bytes, but what is loaded is compressed, and there it costs; calls of
/// the smallest ones cost more than what they do.
const INLINE_LITTLE: [&str; 2] =
    ["--one-caller-inline-max-function-size=24", "--always-inline-max-function-size=4"];

/// Of the kinds of library that Cargo.toml names, the tests need the other one; where both are built, none is optimized as
/// a whole: 2.8 kB after brotli.
const ONE_LIBRARY: [&str; 3] = ["--lib", "--crate-type", "cdylib"];

/// Data lies above the stack, so that a stack which overflows traps. Above a small one its addresses have three bytes, not
/// four, and there are many in the code.
const SMALL_STACK: &str = "-Clink-arg=-zstack-size=262144";

/// What LLVM does to make loops fast, by more variables and by loads on more paths: 1 kB after brotli.
const LEAN_LOOPS: [&str; 2] = ["-Cllvm-args=-disable-lsr", "-Cllvm-args=-enable-load-pre=false"];

/// Functions whose names are alike stand together, where their code compresses better; what is computed twice in the same way
/// compresses better than a variable that keeps it: 250 bytes after brotli.
const FOR_BROTLI: [&str; 3] = ["--skip-pass=local-cse", "--reorder-functions-by-name", "--reorder-locals"];

/// esbuild bundles, and minifies the syntax; this makes less of what is left, and arrows of the glue's functions: 240 bytes after
/// brotli.
const TERSER: [&str; 3] = [
    "--module",
    "--mangle",
    "--compress=passes=3,ecma=2020,unsafe_arrows=true,unsafe_methods=true,directives=false",
];

/// The standard library is compiled along, for size and without the texts of panics and of `Debug`, which nobody reads in
/// a browser: 3.7 kB after brotli. `RUSTC_BOOTSTRAP` lets a stable compiler do so.
const OWN_STD: [&str; 2] = ["-Zbuild-std=std,panic_abort", "-Zbuild-std-features=optimize_for_size"];
const NO_TEXTS: &str = "-Zunstable-options -Cpanic=immediate-abort -Zlocation-detail=none -Zfmt-debug=none";

/// The package and the server.
pub(crate) fn build(repo: &Repo, ready: &Ready) -> Result<()> {
    let started = Instant::now();
    package(repo, ready).context("the npm package could not be built")?;
    server(repo, ready).context("the server could not be built")?;
    println!(
        "build: {} and {} ({:.1} s)",
        repo.pkg().display(),
        repo.server().display(),
        started.elapsed().as_secs_f64()
    );
    Ok(())
}

fn server(repo: &Repo, ready: &Ready) -> Result<()> {
    ready.cmd(repo, "cargo").args(["build", "--release", "-p", "message-extensions-server"]).run()
}

fn package(repo: &Repo, ready: &Ready) -> Result<()> {
    let cargo =
        ["rustc", "--profile", "wasm", "--target", "wasm32-unknown-unknown", "-p", "message-extensions"];
    ready
        .wasm_cmd(repo, "cargo")
        .args(cargo)
        .args(ONE_LIBRARY)
        .args(OWN_STD)
        .args(["--", SMALL_STACK])
        .args(LEAN_LOOPS)
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTFLAGS", NO_TEXTS)
        .run()?;
    // No page of an app loads it, and its errors are to read as the server's: the standard library stays as it is. In a folder
    // of its own, since other flags would have everything compiled anew each time.
    ready
        .wasm_cmd(repo, "cargo")
        .args(["rustc", "--profile", "wasm", "--target", "wasm32-unknown-unknown"])
        .args(["-p", "message-extensions-testing"])
        .args(ONE_LIBRARY)
        .env("CARGO_TARGET_DIR", testing_folder(repo, ready))
        .run()?;

    // One folder with the template and the glue side by side, as the scripts import it.
    let work = ready.wasm.target_folder(repo).join("package");
    fresh_folder(&work)?;
    copy_folder(&repo.path("pkg-template"), &work)?;
    bind(repo, ready, &work, NAME, &ready.wasm.target_folder(repo))?;
    shorten(repo, ready, &work)?;
    bind(repo, ready, &work, TESTING, &testing_folder(repo, ready))?;
    assemble(repo, ready, &work)
}

/// Where the server of tests is compiled.
fn testing_folder(repo: &Repo, ready: &Ready) -> PathBuf {
    ready.wasm.target_folder(repo).join("testing")
}

/// The glue, and the wasm made small.
fn bind(repo: &Repo, ready: &Ready, work: &Path, name: &str, target: &Path) -> Result<()> {
    let compiled = target.join(format!("wasm32-unknown-unknown/wasm/{name}.wasm"));
    // Where the wasm lies is for each entry to say; bundlers would else give it to the one that contains it, too.
    let options =
        ["--target", "web", "--no-typescript", "--omit-default-module-path", "--out-name", name, "--out-dir"];
    ready.cmd(repo, "wasm-bindgen").args(options).arg(work).arg(compiled).run()?;
    let wasm = work.join(format!("{name}_bg.wasm"));
    ready
        .cmd(repo, "wasm-opt")
        .args([
            "-Oz",
            "--converge",
            // The linker leaves the first kilobyte free.
            "--low-memory-unused",
        ])
        .args(FOR_BROTLI)
        // Names go without being asked: none is written without `-g`.
        .args(["--strip-producers", "--strip-target-features"])
        .args(INLINE_LITTLE)
        .args(FEATURES)
        .arg(&wasm)
        .arg("-o")
        .arg(&wasm)
        .run()
}

/// Short names for what the glue and the wasm call each other.
fn shorten(repo: &Repo, ready: &Ready, work: &Path) -> Result<()> {
    let wasm = work.join(WASM);
    let shorten = "--minify-imports-and-exports-and-modules";
    let table =
        ready.cmd(repo, "wasm-opt").arg(shorten).args(FEATURES).arg(&wasm).arg("-o").arg(&wasm).read()?;
    let glue = work.join(format!("{NAME}.js"));
    let named = short_names::apply(&read(&glue)?, &table)?;
    write(&glue, named + PARTS_OF_LOADING)
}

/// `pkg/`: the template, its entries minified with what they import.
fn assemble(repo: &Repo, ready: &Ready, work: &Path) -> Result<()> {
    let pkg = repo.pkg();
    fresh_folder(&pkg)?;
    copy_folder(&repo.path("pkg-template"), &pkg)?;
    for script in scripts(&pkg)? {
        std::fs::remove_file(script)?;
    }
    let wasm = std::fs::read(work.join(WASM)).context("cannot read the wasm file")?;
    write(&work.join(EMBEDDED), deflate(&wasm)?)?;
    let manifest = read(&work.join("package.json"))?;
    for entry in entries(&manifest)? {
        let mut esbuild = ready.cmd(repo, "esbuild").dir(work).arg(&entry);
        if entry != ENTRY {
            // What needs the first entry imports it, so that a page has one instance of the wasm.
            esbuild = esbuild.arg(format!("--external:./{ENTRY}"));
        }
        if entry == TEST_ENTRY {
            esbuild = esbuild.args(IN_PAGE_NETWORK);
        }
        esbuild
            .args([
                "--bundle",
                "--platform=browser",
                "--packages=external",
                "--format=esm",
                "--target=es2022",
            ])
            .args(["--minify", "--legal-comments=none", "--charset=utf8", "--log-level=warning"])
            .arg("--loader:.deflate=base64")
            .arg(format!("--define:__VERSION__=\"{VERSION}\""))
            .args(CODES.iter().map(|info| format!("--define:CODES.{}={}", info.name, info.code)))
            .arg(format!("--outfile={}", work.join(BUNDLE).display()))
            .run()?;
        ready
            .cmd(repo, "terser")
            .dir(work)
            .arg(BUNDLE)
            .args(TERSER)
            .arg("--output")
            .arg(pkg.join(&entry))
            .run()?;
    }
    std::fs::copy(work.join(WASM), pkg.join(WASM)).context("cannot copy the wasm file")?;
    write(&pkg.join("codes.d.ts"), codes::typescript())?;
    write(&pkg.join("package.json"), with_version(&manifest, VERSION)?)
}

/// Without a header, as `DecompressionStream('deflate-raw')` reads it.
fn deflate(content: &[u8]) -> Result<Vec<u8>> {
    let mut deflated = DeflateEncoder::new(Vec::new(), Compression::best());
    deflated.write_all(content)?;
    Ok(deflated.finish()?)
}

/// The `.js` files of a folder.
fn scripts(folder: &Path) -> Result<Vec<PathBuf>> {
    let paths = std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    Ok(paths.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "js")).collect())
}

/// The scripts that package.json exports; every other one is part of these.
fn entries(manifest: &str) -> Result<Vec<String>> {
    fn collect(exported: &Value, into: &mut Vec<String>) {
        match exported {
            Value::String(path) if path.ends_with(".js") => {
                let name = path.trim_start_matches("./").to_owned();
                if !into.contains(&name) {
                    into.push(name);
                }
            }
            Value::Object(members) => members.values().for_each(|member| collect(member, into)),
            _ => {}
        }
    }
    let mut entries = Vec::new();
    exports(manifest)?.values().for_each(|exported| collect(exported, &mut entries));
    Ok(entries)
}

/// The scripts that a page gets, by the names that follow the package's (`.`, `./inline`).
pub(crate) fn page_scripts(manifest: &str) -> Result<Vec<(String, String)>> {
    let script = |(name, exported): (String, Value)| {
        let path = exported.get("default")?.as_str()?.trim_start_matches("./").to_owned();
        path.ends_with(".js").then_some((name, path))
    };
    Ok(exports(manifest)?.into_iter().filter_map(script).collect())
}

fn exports(manifest: &str) -> Result<Map<String, Value>> {
    let mut manifest: Value = serde_json::from_str(manifest).context("package.json is not JSON")?;
    match manifest.get_mut("exports").map(Value::take) {
        Some(Value::Object(exports)) => Ok(exports),
        _ => bail!("package.json exports nothing"),
    }
}

/// package.json with another version. As text: the order of its keys has a meaning.
fn with_version(manifest: &str, version: &str) -> Result<String> {
    const KEY: &str = "\"version\": \"";
    let replaced = manifest.split_once(KEY).and_then(|(before, after)| {
        let (_, after) = after.split_once('"')?;
        Some(format!("{before}{KEY}{version}\"{after}"))
    });
    replaced.context("pkg-template/package.json has no line with `\"version\": \"…\"`")
}

/// Packs `pkg/` as it would be published, into `folder`, which is emptied first; returns the tarball.
pub(crate) fn pack(repo: &Repo, ready: &Ready, folder: &Path) -> Result<PathBuf> {
    fresh_folder(folder)?;
    ready
        .cmd(repo, "npm")
        .dir(&repo.pkg())
        .args(["pack", "--silent", "--ignore-scripts", "--pack-destination"])
        .arg(folder)
        .read()?;
    let mut packed = std::fs::read_dir(folder)?;
    Ok(packed.next().context("npm pack made no file")??.path())
}

/// Unpacks a tarball of npm's as `node_modules/message-extensions` of `folder`: what an installation does.
pub(crate) fn install(repo: &Repo, ready: &Ready, tarball: &Path, folder: &Path) -> Result<()> {
    let to = folder.join("node_modules/message-extensions");
    fresh_folder(&to)?;
    ready.cmd(repo, "tar").arg("-xzf").arg(tarball).arg("-C").arg(&to).arg("--strip-components=1").run()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_entries_are_the_scripts_that_the_manifest_exports() {
        let manifest = r#"{"exports":{".":{"types":"./index.d.ts","default":"./index.js"},"./wasm":"./a.wasm",
            "./react":{"default":"./react.js","import":"./react.js"}}}"#;
        assert_eq!(entries(manifest).unwrap(), ["index.js", "react.js"]);
    }

    #[test]
    fn a_page_gets_what_is_exported_without_a_condition() {
        let manifest = r#"{"exports":{".":{"types":"./i.d.ts","node":"./node.js","default":"./index.js"},"./wasm":"./a.wasm"}}"#;
        assert_eq!(page_scripts(manifest).unwrap(), [(".".to_owned(), "index.js".to_owned())]);
    }

    #[test]
    fn only_the_version_of_a_manifest_changes() {
        let manifest = "{\n  \"name\": \"x\",\n  \"version\": \"0.0.0\",\n  \"types\": \"a\",\n  \"default\": \"b\"\n}\n";
        let expected = manifest.replace("0.0.0", "1.2.3");
        assert_eq!(with_version(manifest, "1.2.3").unwrap(), expected);
        assert!(with_version("{}", "1.2.3").is_err());
    }
}
