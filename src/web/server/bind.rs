//! Opening the port, with errors that say who has it and what to do.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use socket2::{Domain, Protocol, Socket, Type};
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use tokio::net::TcpListener;

/// Opens a port.
///
/// # Errors
/// Says which program has the port, if that can be found out, or what the port needs, and what to do.
/// The kind is that of the error it began with.
pub(crate) fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    open(address).map_err(|error| io::Error::new(error.kind(), explain(address, &error)))
}

fn open(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // Otherwise the connections of a server that has just ended keep its port for a minute.
    socket.set_reuse_address(true)?;
    if address.ip() == IpAddr::V6(Ipv6Addr::UNSPECIFIED) {
        // "[::]" means every address, IPv4 too, whatever net.ipv6.bindv6only says.
        socket.set_only_v6(false)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(1024)?;
    TcpListener::from_std(socket.into())
}

fn explain(address: SocketAddr, error: &io::Error) -> String {
    let port = address.port();
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            let owner = owner_of(address).map(|owner| format!(" by {owner}")).unwrap_or_default();
            format!("port {port} is already in use{owner}; choose another with --listen")
        }
        io::ErrorKind::PermissionDenied => format!(
            "no permission for port {port}: ports below 1024 need CAP_NET_BIND_SERVICE; \
             choose one from 1024 on with --listen"
        ),
        io::ErrorKind::AddrNotAvailable => {
            format!("this machine has no address {}; choose another with --listen", address.ip())
        }
        _ => format!("cannot listen on {address}: {error}; choose another address with --listen"),
    }
}

/// The program that listens there, as "NAME (pid N)". Another user's can be found by root only.
pub(crate) fn owner_of(address: SocketAddr) -> Option<String> {
    let inodes: Vec<u64> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .into_iter()
        .filter_map(|table| fs::read_to_string(table).ok())
        .flat_map(|table| listeners(&table, address.port()))
        .collect();
    for process in fs::read_dir("/proc").ok()?.flatten() {
        let Some(pid) = process.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        let Ok(files) = fs::read_dir(process.path().join("fd")) else { continue };
        let holds = |target: &OsStr| {
            let inode = target.to_str().and_then(|name| name.strip_prefix("socket:[")?.strip_suffix(']'));
            inode.and_then(|inode| inode.parse().ok()).is_some_and(|inode| inodes.contains(&inode))
        };
        if files.flatten().any(|file| fs::read_link(file.path()).is_ok_and(|to| holds(to.as_os_str()))) {
            let name = fs::read_to_string(process.path().join("comm")).ok()?;
            return Some(format!("{} (pid {pid})", name.trim_end()));
        }
    }
    None
}

/// The inodes of the sockets that listen on a port, from the text of `/proc/net/tcp`.
fn listeners(table: &str, port: u16) -> Vec<u64> {
    const LISTEN: &str = "0A";
    let inode = |line: &str| {
        let mut fields = line.split_ascii_whitespace();
        let (_, local_port) = fields.nth(1)?.rsplit_once(':')?;
        let state = fields.nth(1)?;
        let inode = fields.nth(5)?;
        (state == LISTEN && u16::from_str_radix(local_port, 16) == Ok(port)).then(|| inode.parse().ok())?
    };
    table.lines().skip(1).filter_map(inode).collect()
}

/// Files that are kept for what is no connection: cameras, their programs, their pictures; and those who are refused, for as
/// long as they are told so.
const OTHERS: u64 = 256;

/// How many of `connections` fit into `files`, beside what else is open. More of them would take the files that a
/// camera needs to be started and its pictures to be read.
pub(crate) fn connections_within(files: u64, connections: usize) -> usize {
    let room = files - OTHERS.min(files / 2);
    connections.min(usize::try_from(room).unwrap_or(usize::MAX))
}

/// How many files may be open.
pub(crate) fn file_limit() -> u64 {
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// Raises the soft limit on open files, if need be and as far as the hard limit allows, so that
/// `connections` fit beside what else is open. Says how many files may be open then.
///
/// systemd and shells start programs with a soft limit of 1024, for the sake of `select`.
pub(crate) fn raise_file_limit(connections: usize) -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let wanted = (connections as u64).saturating_add(OTHERS);
    let soft = limit.current.unwrap_or(u64::MAX);
    if soft >= wanted {
        return soft;
    }
    let raised = limit.maximum.map_or(wanted, |hard| hard.min(wanted));
    match setrlimit(Resource::Nofile, Rlimit { current: Some(raised), maximum: limit.maximum }) {
        Ok(()) => raised,
        Err(_) => soft,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_port_in_use_is_said_with_the_name_of_its_user() {
        let first = bind(([127, 0, 0, 1], 0).into()).unwrap();
        let address = first.local_addr().unwrap();
        let error = bind(address).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
        let (port, pid) = (address.port(), std::process::id());
        let comm = fs::read_to_string("/proc/self/comm").unwrap();
        assert_eq!(
            error.to_string(),
            format!(
                "port {port} is already in use by {} (pid {pid}); choose another with --listen",
                comm.trim_end()
            )
        );
    }

    #[test]
    fn only_listening_sockets_own_a_port() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
            0: 0100007F:0BB8 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0 100 0 0 10 0\n\
            1: 0100007F:0BB8 0100007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 4712 1 0 20 4 30 10 -1\n\
            2: 0100007F:0BB9 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4713 1 0 100 0 0 10 0\n";
        assert_eq!(listeners(table, 3000), [4711]);
        assert_eq!(listeners("", 3000), [0; 0]);
        assert_eq!(listeners("header\n\nrubbish : :\n 0: x 1", 3000), [0; 0]);
    }

    #[test]
    fn the_file_limit_is_raised_as_far_as_is_allowed_and_never_lowered() {
        let before = getrlimit(Resource::Nofile);
        assert_eq!(raise_file_limit(0), before.current.unwrap().max(256));
        assert_eq!(raise_file_limit(usize::MAX), before.maximum.unwrap_or(u64::MAX));
        assert_eq!(getrlimit(Resource::Nofile).current, before.maximum);
    }

    #[test]
    fn connections_leave_files_for_the_rest() {
        assert_eq!(connections_within(4096, 2048), 2048);
        assert_eq!(connections_within(1024, 2048), 768);
        assert_eq!(connections_within(128, 2048), 64);
        assert_eq!(connections_within(128, 10), 10);
        assert_eq!(connections_within(u64::MAX, usize::MAX), usize::MAX - 256);
    }

    #[test]
    fn the_remedy_for_a_port_that_needs_privileges_is_named() {
        let text = explain(([127, 0, 0, 1], 80).into(), &io::ErrorKind::PermissionDenied.into());
        assert!(text.contains("port 80") && text.contains("--listen"), "{text}");
    }
}
