//! Sees to it that there is a `web/dist` to build into the program: without the web map's own build a page
//! that says so.

use std::{fs, io, path::Path};

const PAGE: &str = "<!doctype html>
<html lang=\"vi\">
<meta charset=\"utf-8\">
<title>citymap</title>
<!-- citymap: the web map is not built -->
<p>Bản đồ web chưa được dựng; chạy <code>make web</code>. Giao diện dịch vụ ở <a href=\"/api\">/api</a>.
<p lang=\"en\">The web map is not built; run <code>make web</code>. The interface for services is at <a \
href=\"/api\">/api</a>.
</html>
";

fn main() -> io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let dist = root.join("web/dist");
    let page = dist.join("index.html");
    if !page.exists() {
        fs::create_dir_all(&dist)?;
        fs::write(&page, PAGE)?;
    }
    // New files too must find their way in.
    for folder in ["web/dist", "tiles"] {
        println!("cargo:rerun-if-changed={}", root.join(folder).display());
    }
    Ok(())
}
