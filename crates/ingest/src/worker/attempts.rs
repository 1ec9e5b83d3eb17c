//! What a confined process can and cannot do, tried from inside one: this test program runs itself again.

use std::{
    fs::{self, Permissions},
    io,
    net::{TcpListener, TcpStream, UdpSocket},
    os::unix::{
        fs::{PermissionsExt, symlink},
        net::{UnixListener, UnixStream},
    },
    path::{Path, PathBuf},
    process::Command,
    thread,
};

use citymap_crs::{Crs, Transform};

use super::{Confinement, confine, confinement, seccomp};

/// The environment variable that names the folder in which the attempts are made.
const FOLDER: &str = "CITYMAP_TEST_ATTEMPTS";

#[test]
fn a_confined_process_reads_its_files_and_can_do_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for name in ["thua.shp", "thua.dbf", "thua.txt", "store.gpkg", "writers"] {
        fs::write(at(name), name).unwrap();
    }
    fs::create_dir(at("temporary")).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let run = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "worker::attempts::attempts_inside", "--nocapture"])
        .env(FOLDER, folder.path())
        .env("CITYMAP_TEST_PORT", listener.local_addr().unwrap().port().to_string())
        .output()
        .unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success() && said.contains("all attempts were made"), "{said}");
    assert_eq!(fs::read(at("store.gpkg")).unwrap(), b"store.gpkg");
    let mode = |name| fs::metadata(at(name)).unwrap().permissions().mode();
    assert_eq!(mode("thua.shp"), mode("writers"));
}

/// The inner half: does nothing unless the test above runs it.
#[test]
fn attempts_inside() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    let offered = confinement();
    let sources = [folder.join("thua.shp")];
    let landlock = confine::restrict_files(&sources, &folder.join("temporary")).unwrap();
    let seccomp = seccomp::restrict_calls().unwrap();
    assert_eq!(Confinement { landlock, seccomp }, offered, "what the kernel offers was not taken");
    what_reading_takes(&folder);
    if landlock {
        files_out_of_reach(&folder);
    }
    if seccomp {
        calls_out_of_reach(&folder);
    }
    println!("all attempts were made");
}

fn what_reading_takes(folder: &Path) {
    for name in ["thua.shp", "thua.dbf"] {
        assert_eq!(fs::read(folder.join(name)).unwrap(), name.as_bytes());
    }
    let temporary = folder.join("temporary");
    let made = tempfile::tempdir_in(&temporary).unwrap();
    fs::write(made.path().join("a"), "a").unwrap();
    fs::rename(made.path().join("a"), temporary.join("b")).unwrap();
    fs::remove_file(temporary.join("b")).unwrap();
    drop(made);
    // Links are made to name the parts of a source alike; where they lead is asked when they are followed.
    symlink(folder.join("store.gpkg"), temporary.join("link")).unwrap();
    symlink(folder.join("thua.shp"), temporary.join("own")).unwrap();
    assert_eq!(fs::read(temporary.join("own")).unwrap(), b"thua.shp");
    assert_eq!(fs::read_dir(&temporary).unwrap().count(), 2);
    // PROJ's database, and GDAL's tables.
    let transform = Transform::new("EPSG:9210".parse().unwrap(), Crs::WGS84).unwrap();
    let [x, y] = transform.point([600_000.0, 1_190_000.0]).unwrap();
    assert!((106.0..108.0).contains(&x) && (10.0..11.0).contains(&y), "{x} {y}");
    gdal::spatial_ref::SpatialRef::from_epsg(3405).unwrap();
    assert_eq!(thread::spawn(|| 7).join().unwrap(), 7);
}

fn files_out_of_reach(folder: &Path) {
    for name in ["store.gpkg", "writers", "thua.txt", "temporary/link"] {
        denied(fs::read(folder.join(name)), name);
    }
    denied(fs::read("/etc/passwd"), "/etc/passwd");
    denied(
        fs::read(format!("/proc/{}/environ", std::os::unix::process::parent_id())),
        "the parent's environment",
    );
    denied(fs::read_dir(folder), "the folder");
    for name in ["thua.shp", "thua.dbf", "store.gpkg", "new"] {
        denied(fs::write(folder.join(name), "x"), name);
        denied(fs::OpenOptions::new().append(true).create(true).open(folder.join(name)), name);
    }
    denied(fs::remove_file(folder.join("writers")), "removing");
    denied(fs::rename(folder.join("writers"), folder.join("temporary/writers")), "moving");
    denied(fs::create_dir(folder.join("sub")), "a new folder");
}

fn calls_out_of_reach(folder: &Path) {
    let port = std::env::var("CITYMAP_TEST_PORT").unwrap();
    denied(TcpStream::connect(format!("127.0.0.1:{port}")), "a connection");
    denied(TcpListener::bind("127.0.0.1:0"), "a listener");
    denied(UdpSocket::bind("127.0.0.1:0"), "a datagram socket");
    denied(UnixListener::bind(folder.join("temporary/socket")), "a local listener");
    denied(UnixStream::pair(), "a pair of sockets");
    denied(Command::new("/bin/true").status(), "a program");
    denied(fs::set_permissions(folder.join("thua.shp"), Permissions::from_mode(0o777)), "a new mode");
    denied(fs::hard_link(folder.join("thua.shp"), folder.join("temporary/hard")), "a hard link");
    let parent = rustix::process::getppid().unwrap();
    denied(rustix::process::test_kill_process(parent).map_err(io::Error::from), "a signal to the parent");
}

fn denied<T>(outcome: io::Result<T>, what: &str) {
    assert!(outcome.is_err(), "{what} is in reach");
}
