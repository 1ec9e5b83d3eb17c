//! Keeps two SQLite libraries apart in one program.
//!
//! The store brings its own SQLite (`rusqlite`, bundled); GDAL and SpatiaLite load the system's. An
//! executable shows the functions of what is linked into it to the libraries that it loads, so GDAL would
//! call the store's SQLite for some functions and the system's for others, and crash when it opens a
//! GeoPackage. Hidden, each side keeps its own. Every package that links an executable with both needs this
//! file.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        println!("cargo::rustc-link-arg=-Wl,--exclude-libs,ALL");
    }
}
