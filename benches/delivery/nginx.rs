//! nginx serving the same rolling file: how far the limit is.

use std::{
    fs,
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};

use crate::{daemon::end, process};

/// A running nginx; dropping it stops it.
pub(crate) struct Nginx {
    child: Child,
    pub(crate) address: SocketAddr,
}

/// nginx where it is installed.
pub(crate) fn find() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    // Debian has it in a folder that only root's PATH names.
    std::env::split_paths(&path)
        .chain([PathBuf::from("/usr/sbin")])
        .map(|folder| folder.join("nginx"))
        .find(|file| file.is_file())
}

impl Nginx {
    /// Serves the files in `root`, with as many workers as the machine has cores. Its own files are in `folder`.
    pub(crate) fn start(program: &Path, folder: &Path, root: &Path) -> anyhow::Result<Self> {
        // It can't tell which port it was given, so it is given one that was free a moment ago.
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let folder = folder.display();
        let user = if rustix::process::geteuid().is_root() { "user root;" } else { "" };
        let text = format!(
            "{user} daemon off; worker_processes auto; worker_rlimit_nofile 8192; pid {folder}/nginx.pid;\n\
             error_log {folder}/nginx.log error;\n\
             events {{ worker_connections 4096; }}\n\
             http {{\n\
               access_log off; sendfile on; tcp_nodelay on; keepalive_requests 1000000000; keepalive_timeout 75s;\n\
               client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;\n\
               uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;\n\
               types {{ image/jpeg jpg; }}\n\
               server {{ listen {address} backlog=4096; root {}; add_header Cache-Control no-store; }}\n\
             }}\n",
            root.display()
        );
        let config = PathBuf::from(format!("{folder}/nginx.conf"));
        fs::write(&config, text)?;
        let child = Command::new(program)
            .arg("-p")
            .arg(folder.to_string())
            .arg("-c")
            .arg(&config)
            .arg("-e")
            .arg(format!("{folder}/nginx.log"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| program.display().to_string())?;
        let nginx = Self { child, address };
        let started = Instant::now();
        while TcpStream::connect(address).is_err() {
            let log = fs::read_to_string(format!("{folder}/nginx.log")).unwrap_or_default();
            ensure!(started.elapsed() < Duration::from_secs(5), "nginx does not start: {log}");
            thread::sleep(Duration::from_millis(20));
        }
        Ok(nginx)
    }

    /// Its workers, who do all the work.
    pub(crate) fn workers(&self) -> anyhow::Result<Vec<u32>> {
        process::children(self.child.id())
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}
