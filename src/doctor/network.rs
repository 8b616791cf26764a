//! Whether the daemon answers, and from where.

use std::{
    io::{Read, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    path::Path,
    time::Duration,
};

use super::{Check, Surroundings};
use crate::web::port_owner;

/// How long connecting may take, and each part of the answer.
const LIMIT: Duration = Duration::from_secs(8);

#[derive(Debug)]
pub(super) struct Facts {
    answer: Answer,
    /// Whether something tells the network this machine's `.local` name.
    tells_its_name: bool,
}

/// Who is at the port.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    /// A daemon of ours.
    Healthy,
    /// Nobody.
    Nobody,
    /// Another program, with its name where it can be found.
    Other(Option<String>),
}

impl Facts {
    pub(super) fn look(around: &Surroundings) -> Self {
        let sockets = ["/run/avahi-daemon/socket", "/var/run/avahi-daemon/socket"];
        Self {
            answer: look(around.listen()),
            tells_its_name: sockets.iter().any(|socket| Path::new(socket).exists()),
        }
    }

    pub(super) fn judge(&self, around: &Surroundings) -> Vec<Check> {
        vec![self.port(around), self.reachable(around.listen())]
    }

    fn port(&self, around: &Surroundings) -> Check {
        let (key, port) = ("port", around.listen().port());
        match &self.answer {
            Answer::Healthy => Check::good(key, format!("eyelid answers on port {port}")),
            Answer::Nobody if around.service => Check::warning(
                key,
                format!("nobody answers on port {port}"),
                "is the service running? systemctl status eyelid",
            ),
            Answer::Nobody => Check::good(key, format!("port {port} is free; no daemon runs there")),
            Answer::Other(owner) => {
                let owner = owner.as_deref().unwrap_or("a program that only root can name");
                Check::bad(
                    key,
                    format!("port {port} belongs to {owner}, which does not answer as eyelid does"),
                    "end that program, or choose another port: listen in the configuration",
                )
            }
        }
    }

    fn reachable(&self, listen: SocketAddr) -> Check {
        let key = "reachable";
        let port = listen.port();
        if listen.ip().is_loopback() {
            return Check::good(
                key,
                format!(
                    "from this machine alone, at http://127.0.0.1:{port}; for others set listen = \"[::]:{port}\""
                ),
            );
        }
        if !listen.ip().is_unspecified() {
            return Check::good(key, format!("at one address of this machine, port {port}"));
        }
        match self.tells_its_name {
            true => Check::good(
                key,
                format!("from the network, at http://NAME.local:{port} and by the machine's addresses"),
            ),
            false => Check::warning(
                key,
                format!(
                    "from the network by the machine's addresses, port {port}; its .local name may not be found"
                ),
                "for the name: sudo apt install avahi-daemon; for the addresses: hostname -I",
            ),
        }
    }
}

fn look(listen: SocketAddr) -> Answer {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    let address = SocketAddr::new(ip, listen.port());
    let Ok(stream) = TcpStream::connect_timeout(&address, LIMIT) else { return Answer::Nobody };
    match is_healthy(stream, address) {
        true => Answer::Healthy,
        false => Answer::Other(port_owner(address)),
    }
}

fn is_healthy(mut stream: TcpStream, address: SocketAddr) -> bool {
    /// Head and body are less than that.
    const MOST: u64 = 4096;
    let mut ask = || {
        stream.set_read_timeout(Some(LIMIT))?;
        stream.set_write_timeout(Some(LIMIT))?;
        write!(stream, "GET /healthz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
        let mut answer = Vec::new();
        (&stream).take(MOST).read_to_end(&mut answer)?;
        Ok::<_, std::io::Error>(answer)
    };
    let answer = ask().unwrap_or_default();
    let answer = String::from_utf8_lossy(&answer);
    // Where it speaks TLS, it sends who doesn't there.
    let sent_to_tls = format!("https://{address}/healthz");
    (answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("{\"status\":\"ok\"}"))
        || (answer.starts_with("HTTP/1.1 307 ") && answer.contains(&sent_to_tls))
}

#[cfg(test)]
mod tests {
    use std::{net::TcpListener, thread};

    use super::{
        super::{
            Verdict,
            surroundings::tests::{around, with},
        },
        *,
    };
    use crate::config::Config;

    fn told(answer: Answer, service: bool) -> Verdict {
        Facts { answer, tells_its_name: true }.judge(&around(false, service, &[]))[0].verdict
    }

    #[test]
    fn who_is_at_the_port_is_judged() {
        assert_eq!(told(Answer::Healthy, true), Verdict::Good);
        assert_eq!(told(Answer::Nobody, false), Verdict::Good);
        assert_eq!(told(Answer::Nobody, true), Verdict::Warning);
        assert_eq!(told(Answer::Other(Some("nginx (pid 7)".to_owned())), false), Verdict::Bad);
    }

    #[test]
    fn from_where_it_can_be_reached_follows_from_the_address() {
        let told = |listen: &str, tells_its_name| {
            let config = Config { listen: listen.parse().unwrap(), ..Config::default() };
            let check =
                Facts { answer: Answer::Healthy, tells_its_name }.judge(&with(true, true, config)).remove(1);
            (check.verdict, check.what)
        };
        assert!(told("127.0.0.1:3000", false).1.starts_with("from this machine alone"));
        assert_eq!(told("[::]:3000", true).0, Verdict::Good);
        assert_eq!(told("0.0.0.0:3000", false).0, Verdict::Warning);
        let (verdict, what) = told("192.168.1.5:8080", false);
        assert!(verdict == Verdict::Good && !what.contains("192.168") && what.contains("8080"), "{what}");
    }

    #[test]
    fn another_program_at_the_port_is_told_from_ours() {
        for (says, expected) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{\"status\":\"ok\"}", true),
            ("HTTP/1.1 307 Temporary Redirect\r\nLocation: https://ADDRESS/healthz\r\n\r\n", true),
            ("HTTP/1.1 307 Temporary Redirect\r\nLocation: https://example.org/\r\n\r\n", false),
            ("HTTP/1.1 200 OK\r\n\r\n<html>", false),
            ("SSH-2.0-OpenSSH_9.2\r\n", false),
            ("", false),
        ] {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            let server = thread::spawn(move || {
                let (mut stream, _) = listener.accept().unwrap();
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    let mut byte = [0];
                    stream.read_exact(&mut byte).unwrap();
                    head.push(byte[0]);
                }
                stream.write_all(says.replace("ADDRESS", &address.to_string()).as_bytes()).unwrap();
                // Stays open until it has been looked at who has it.
                listener
            });
            let stream = TcpStream::connect(address).unwrap();
            let healthy = is_healthy(stream, address);
            assert_eq!(healthy, expected, "{says}");
            drop(server.join().unwrap());
        }
    }
}
