//! Why a request did not reach the wiki, in words for the person at the terminal.

use std::error::Error as _;
use std::io::ErrorKind;
use std::time::Duration;

use ureq::Proxy;

/// What the words depend on.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    /// The address of the wiki.
    pub url: &'a str,
    pub timeout: Duration,
    /// The proxy between here and there.
    pub proxy: Option<&'a Proxy>,
}

impl Attempt<'_> {
    /// Why it failed, and what to do about it.
    pub fn reason(&self, error: &ureq::Error) -> String {
        let reason = self.of(error);
        match self.proxy {
            // Never the whole address of the proxy, which may have a password.
            Some(proxy) => format!(
                "{reason}.\n  The request goes through the proxy {}:{}, which HTTPS_PROXY, HTTP_PROXY or ALL_PROXY names. \
                 To go without it, add the host of the wiki to NO_PROXY",
                proxy.host(),
                proxy.port()
            ),
            None => reason,
        }
    }

    fn of(&self, error: &ureq::Error) -> String {
        match error {
            ureq::Error::Timeout(_) => format!("no response within {:?}", self.timeout),
            ureq::Error::HostNotFound if self.proxy.is_some() => "the host of the proxy is unknown".to_owned(),
            ureq::Error::HostNotFound => "the host is unknown".to_owned(),
            ureq::Error::ConnectProxyFailed(answer) if answer.contains("407") => {
                "the proxy wants a username and a password: put them into its address, as in \
                 HTTPS_PROXY=http://user:password@proxy.example:3128"
                    .to_owned()
            }
            ureq::Error::ConnectProxyFailed(answer) => format!("the proxy does not connect to it ({answer})"),
            ureq::Error::Rustls(error) => tls(&error.to_string()),
            ureq::Error::Tls(text) => tls(text),
            ureq::Error::Io(error) => {
                let inner = error.get_ref().map(|inner| inner.to_string());
                match inner.filter(|text| is_about_tls(text)) {
                    Some(text) => tls(&text),
                    None if error.kind() == ErrorKind::ConnectionRefused => {
                        "nothing answers at this address".to_owned()
                    }
                    None => error.to_string(),
                }
            }
            // The bytes of a TLS alert, for one.
            ureq::Error::Protocol(error) if self.url.starts_with("http://") => {
                format!("the answer is not HTTP ({error}). Perhaps the address begins with https://")
            }
            other => {
                let source = other.source().map(|source| source.to_string());
                source.filter(|text| is_about_tls(text)).map_or_else(|| other.to_string(), |text| tls(&text))
            }
        }
    }
}

fn is_about_tls(text: &str) -> bool {
    ["certificate", "corrupt message", "alert", "handshake", "TLS", "tls"].iter().any(|word| text.contains(word))
}

/// An error of the TLS library, by its usual causes.
fn tls(text: &str) -> String {
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let cause = if has(&["UnknownIssuer", "CaUsedAsEndEntity", "unknown issuer", "self-signed", "not trusted"]) {
        "no authority that this computer trusts has signed the wiki's certificate. Add the certificate of the authority to \
         those of the system, or name its file in SSL_CERT_FILE"
    } else if has(&["not valid for name", "NotValidForName", "not valid for any names"]) {
        "the certificate is for another name. Use the address that it is for in --url"
    } else if has(&["expired", "Expired"]) {
        "the certificate of the wiki has expired. Renew it, or check the clock of this computer"
    } else if has(&["not valid yet", "NotValidYet"]) {
        "the certificate of the wiki is not valid yet. Check the clock of this computer"
    } else if has(&["revoked", "Revoked"]) {
        "the certificate of the wiki was revoked"
    } else if has(&["corrupt message", "InvalidContentType", "InvalidMessage"]) {
        "it does not speak TLS there. Perhaps the address begins with http://"
    } else {
        "the TLS connection failed"
    };
    format!("{cause} ({text})")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    fn reason(error: &ureq::Error, proxy: Option<&Proxy>) -> String {
        Attempt { url: "https://wiki.example", timeout: Duration::from_secs(30), proxy }.reason(error)
    }

    #[test]
    fn errors_of_tls_say_what_to_do() {
        for (text, words) in [
            ("invalid peer certificate: UnknownIssuer", "SSL_CERT_FILE"),
            ("invalid peer certificate: certificate not valid for name \"x\"; certificate is", "for another name"),
            ("invalid peer certificate: certificate expired: verification time", "has expired"),
            ("received corrupt message of type InvalidContentType", "does not speak TLS"),
            ("received fatal alert: HandshakeFailure", "the TLS connection failed"),
        ] {
            let inside = ureq::Error::Io(io::Error::new(io::ErrorKind::InvalidData, text));
            let told = reason(&inside, None);
            assert!(told.contains(words) && told.contains(text), "{told}");
        }
    }

    #[test]
    fn a_proxy_is_named_without_its_password() {
        let proxy = Proxy::new("http://ada:s3cret@proxy.example:3128").unwrap();
        let refused = ureq::Error::Io(io::ErrorKind::ConnectionRefused.into());
        let told = reason(&refused, Some(&proxy));
        assert!(told.contains("the proxy proxy.example:3128") && told.contains("NO_PROXY"), "{told}");
        assert!(!told.contains("s3cret") && !told.contains("ada"), "{told}");
        let unknown = ureq::Error::ConnectProxyFailed("HTTP/1.1 407 Proxy Authentication Required".to_owned());
        assert!(reason(&unknown, Some(&proxy)).contains("HTTPS_PROXY=http://user:password@"));
        assert_eq!(reason(&refused, None), "nothing answers at this address");
    }
}
