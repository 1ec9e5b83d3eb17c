//! nginx in front of a server, below the path `/geo/`.

use std::{
    fmt::Write as _,
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use citymap_tests::installed;

/// A free port of the loopback interface.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A running nginx, which ends with the value. It serves a server below `/geo/` and takes this prefix away.
/// As is usual, it packs every answer with gzip, keeps what may be kept, and passes addresses on decoded.
/// Below `/plain/` it does the same without keeping anything, with the small buffers of its defaults.
pub(crate) struct Nginx {
    child: Child,
    /// The address below which the server is, `http://127.0.0.1:port/geo`.
    pub(crate) url: String,
}

impl Nginx {
    /// Starts nginx on a port, with its files in a folder. `headers` are what it says of itself to the server
    /// at `upstream`, `http://address:port`. `None`, where nginx is not installed: the test is skipped.
    pub(crate) fn start(folder: &Path, port: u16, upstream: &str, headers: &[(&str, &str)]) -> Option<Self> {
        if !installed("nginx", "nginx-light") {
            return None;
        }
        let folder = folder.join("nginx");
        std::fs::create_dir(&folder).unwrap();
        let config = folder.join("nginx.conf");
        std::fs::write(&config, configuration(&folder, port, upstream, headers)).unwrap();
        let child = Command::new("nginx")
            .arg("-p")
            .arg(&folder)
            .arg("-c")
            .arg(&config)
            .args(["-e", "error.log"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut nginx = Self { child, url: format!("http://127.0.0.1:{port}/geo") };
        let start = Instant::now();
        while ureq::get(format!("{}/health/ready", nginx.url)).call().is_err() {
            let log = || std::fs::read_to_string(folder.join("error.log")).unwrap_or_default();
            assert!(nginx.child.try_wait().unwrap().is_none(), "nginx ended: {}", log());
            assert!(start.elapsed() < Duration::from_secs(60), "nginx did not become ready: {}", log());
            std::thread::sleep(Duration::from_millis(10));
        }
        Some(nginx)
    }

    /// The address of a path of the server where nginx keeps no answers.
    pub(crate) fn plain(&self, path: &str) -> String {
        format!("{}/plain{path}", self.url.trim_end_matches("/geo"))
    }

    /// The address of a path of the server.
    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn configuration(folder: &Path, port: u16, upstream: &str, headers: &[(&str, &str)]) -> String {
    let folder = folder.display();
    let upstream = upstream.trim_start_matches("http://");
    let mut said = String::new();
    for (name, value) in headers {
        writeln!(said, "proxy_set_header {name} \"{value}\";").unwrap();
    }
    // One process, so that it ends with the one that is killed.
    format!(
        "daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log info;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    proxy_cache_path {folder}/cache keys_zone=kept:1m;
    gzip on;
    gzip_proxied any;
    gzip_min_length 1;
    gzip_types *;
    upstream up {{ server {upstream}; }}
    server {{
        listen 127.0.0.1:{port};
        location /geo/ {{
            proxy_pass http://up/;
            proxy_http_version 1.1;
            proxy_cache kept;
            proxy_cache_revalidate on;
            # nginx writes its key, the whole address, into this buffer.
            proxy_buffer_size 16k;
            proxy_buffers 8 16k;
            add_header X-Cache $upstream_cache_status always;
            {said}
        }}
        location /plain/ {{
            proxy_pass http://up/;
            {said}
        }}
    }}
}}
"
    )
}
