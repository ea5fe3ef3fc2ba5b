//! A page in a real browser, where there is one: what it says of itself once its scripts have run.

use std::{
    fs,
    process::{Command, Stdio},
    sync::LazyLock,
};

use crate::testing::skipped;

/// Names under which the browser may be found.
const BROWSERS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];
/// A container has little shared memory, and is root.
const ALONE: [&str; 3] = ["--headless", "--no-sandbox", "--disable-dev-shm-usage"];
/// Nothing but the page.
const QUIET: [&str; 6] = [
    "--disable-gpu",
    "--no-first-run",
    "--disable-sync",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
];

/// The browser of this machine.
static BROWSER: LazyLock<Option<&str>> = LazyLock::new(|| {
    let answers = |name: &&str| {
        let mut asked = Command::new(name);
        asked.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
        asked.status().is_ok_and(|status| status.success())
    };
    let found = BROWSERS.into_iter().find(answers);
    if found.is_none() {
        let browsers = BROWSERS.join(", ");
        skipped(&format!("what pages look like in a browser; none of {browsers} is installed"));
    }
    found
});

/// The document after its scripts have run on `page` at `address`; `None`: there is no browser, which is said.
pub(crate) fn document(page: &str, address: &str) -> Option<String> {
    let browser = (*BROWSER)?;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("page.html");
    fs::write(&file, page).unwrap();
    let output = Command::new(browser)
        .args(ALONE)
        .args(QUIET)
        .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
        .args(["--window-size=1280,900", "--virtual-time-budget=5000", "--dump-dom"])
        .arg(format!("file://{}#{address}", file.display()))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap())
}

/// What the body of `document` says of itself under `name`.
pub(crate) fn said<'d>(document: &'d str, name: &str) -> &'d str {
    let body = document.split("<body ").nth(1).and_then(|rest| rest.split('>').next());
    let body = body.expect("scripts ran and set it");
    let value = body.split(&format!("data-{name}=\"")).nth(1);
    value.unwrap_or_else(|| panic!("no {name} in {body}")).split('"').next().unwrap()
}
