//! The settings of a dashboard, and what is made of them.

use super::Dashboard;
use super::access::Access;
use super::documents::Documents;
use super::events::Readers;
use super::folder::Folder;
use super::server::{Limits, Server};
use super::site::{DATA, Site as Pages};
use super::store::{REPORT, SANDBOXES, Store, TERMINATIONS};
use super::view::View;
use crate::net::address::HostPort;
use crate::net::place;
use crate::outputs::{Output, OutputSpec};
use crate::plugin::{PluginError, Site};
use crate::registry::{Defaults, Make, PluginType};
use crate::tls::{self, Side, TlsSettings};
use heka_settings::{Map, Nested, Problem, Problems, Settings, Table, settings};
use hyper::header::{HeaderName, HeaderValue};
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;

settings! {
    /// Options of DashboardOutput.
    pub struct DashboardOutputSettings {
        /// Where to listen: `host:port`, or `:port` for all interfaces.
        address: String = ":4352",
        /// Directory of the page's files; relative to `share_dir`. Unless given, `dasher` if there is one, and else
        /// `dashboard/dist`.
        static_directory: Option<String>,
        /// Directory that holds what is shown, in its folder `data`; relative to `base_dir`.
        working_directory: String = "dashboard",
        /// Headers of every answer, each a list of values; they replace those of the same names.
        headers: Map<Vec<String>>,
        /// Readers must log in with this name and `password`.
        username: String = "",
        /// The password of `username`.
        password: String = "",
        /// Readers may also show this token (`Authorization: Bearer …`), for scripts.
        token: String = "",
        /// Whether to speak TLS.
        use_tls: bool = false,
        /// TLS options.
        tls: Option<Nested<TlsSettings>>,
        /// Connections at once; further ones wait.
        max_connections: u32 = 256u32,
        /// Whether `/data/` lists the files there.
        directory_listing: bool = true,
        /// Show outputs only of filters that run in this daemon, not those that others send.
        only_local: bool = false,
    }
}

/// DashboardOutput.
pub static TYPE: PluginType = PluginType {
    name: "DashboardOutput",
    summary: "Serves a live view of the daemon and of what its sandboxes show, over HTTP.",
    settings: DashboardOutputSettings::table,
    defaults: Defaults {
        ticker_interval: Some(5),
        message_matcher: Some(
            "Type == 'heka.all-report' || Type == 'heka.sandbox-terminated' || Type == 'heka.sandbox-output'",
        ),
        own_path: true,
        ..Defaults::NONE
    },
    make: Make::Output(read),
};

/// Where the page's files are below `share_dir`, unless the user says.
const STATIC_DIRECTORIES: [&str; 2] = ["dasher", "dashboard/dist"];

pub(super) struct Spec {
    settings: DashboardOutputSettings,
    address: Result<HostPort, String>,
    headers: Vec<(HeaderName, Vec<HeaderValue>)>,
    tls: Option<TlsSettings>,
}

fn read(table: &Table, problems: &mut Problems) -> Arc<dyn OutputSpec> {
    Arc::new(spec(table, problems))
}

pub(super) fn spec(table: &Table, problems: &mut Problems) -> Spec {
    let settings = DashboardOutputSettings::read(table, problems);
    let address = HostPort::parse(&settings.address);
    let mut refuse = |option: &str, why: &str, help: &str| {
        problems.push(Problem::error(place(table, option), why).help(help));
    };
    if let Err(why) = &address {
        refuse("address", why, "write host:port, or :port for all interfaces");
    }
    if settings.max_connections == 0 {
        refuse("max_connections", "nobody could connect", "leave `max_connections` out, or make it larger");
    }
    if settings.username.is_empty() != settings.password.is_empty() {
        let option = if settings.username.is_empty() { "password" } else { "username" };
        refuse(option, "`username` and `password` need each other", "give both, or neither");
    }
    if settings.username.contains(':') {
        refuse("username", "a name with a colon cannot be sent", "use another name");
    }
    let mut headers = Vec::new();
    for (name, values) in &settings.headers.0 {
        let parsed: Option<Vec<HeaderValue>> = values.iter().map(|value| value.parse().ok()).collect();
        match (name.parse::<HeaderName>(), parsed) {
            (Ok(name), Some(values)) => headers.push((name, values)),
            (Err(_), _) => {
                refuse("headers", &format!("`{name}` is no name of a header"), "use letters, digits and `-`")
            }
            (_, None) => {
                refuse("headers", &format!("a value of `{name}` cannot be in a header"), "use one line of ASCII text");
            }
        }
    }
    let tls = tls::in_effect(settings.use_tls, &settings.tls, Side::Server, table, problems);
    Spec { settings, address, headers, tls }
}

impl OutputSpec for Spec {
    fn wants_reports(&self) -> bool {
        true
    }

    fn build(&self, site: &Site) -> Result<Box<dyn Output>, PluginError> {
        Ok(Box::new(self.dashboard(site)?))
    }
}

impl Spec {
    /// Makes the folders and everything that is served; nothing listens yet.
    pub(super) fn dashboard(&self, site: &Site) -> Result<Dashboard, PluginError> {
        let DashboardOutputSettings { username, password, token, .. } = &self.settings;
        let address = self.address.clone().map_err(PluginError::fatal)?;
        let assets = self.static_directory(site)?;
        let working = site.globals.state_path(&self.settings.working_directory);
        let data = working.join(DATA);
        let documents = prepare(&working, &data).map_err(|error| {
            PluginError::fatal(format!(
                "DashboardOutput: Can't create working directory: {}: {error}; create it, or set `working_directory`",
                data.display()
            ))
        })?;
        let tls = match &self.tls {
            Some(settings) => {
                let config = tls::server_config(settings);
                Some(TlsAcceptor::from(config.map_err(|why| PluginError::retry(format!("TLS init error: {why}")))?))
            }
            None => None,
        };
        let access = Access::new(username, password, token);
        if access.is_open() && !is_loopback(&address.host) {
            site.log.info(format!(
                "warning: anybody who can reach {} may see the dashboard: set `username` and `password`, or `address = \
                 \"127.0.0.1:{}\"`",
                self.settings.address, address.port
            ));
        }
        if !access.is_open() && tls.is_none() && !is_loopback(&address.host) {
            site.log.info("warning: passwords and tokens come over the network in the clear: set `use_tls`, or use a proxy that does");
        }
        let pages = Arc::new(Pages {
            access,
            documents: Arc::new(documents),
            readers: Readers::default(),
            view: View::new(site.globals.overview.clone()),
            assets: vec![Folder::new(assets), Folder::new(working)],
            lists_folders: self.settings.directory_listing,
            headers: self.headers.clone(),
        });
        pages.view.refresh(&pages.documents);
        let most = self.settings.max_connections as usize;
        let server = Server { site: site.clone(), pages: pages.clone(), address, tls, most, limits: Limits::default() };
        let store = Store::new(site, pages, self.settings.only_local);
        Ok(Dashboard { store, server: Some(server) })
    }

    /// Where the page's files are.
    fn static_directory(&self, site: &Site) -> Result<PathBuf, PluginError> {
        let given = self.settings.static_directory.as_deref();
        let candidates: Vec<PathBuf> = match &given {
            Some(given) => vec![site.globals.share_path(given)],
            None => STATIC_DIRECTORIES.iter().map(|path| site.globals.share_path(path)).collect(),
        };
        let found = candidates.iter().find(|path| path.is_dir()).cloned();
        found.ok_or_else(|| {
            let tried: Vec<String> = candidates.iter().map(|path| path.display().to_string()).collect();
            let tried = tried.join(", ");
            PluginError::fatal(format!(
                "Error copying static dashboard files: there is no directory {tried}; set `share_dir` or `static_directory`"
            ))
        })
    }
}

/// Makes the folder of documents. What a former run said of what was running then is no longer true; everything else
/// stays, whoever wrote it.
fn prepare(working: &Path, data: &Path) -> io::Result<Documents> {
    fs::create_dir_all(working)?;
    match fs::DirBuilder::new().mode(0o700).create(data) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists && data.is_dir() => {}
        made => made?,
    }
    for name in [REPORT, SANDBOXES, ".new"] {
        match fs::remove_file(data.join(name)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    let documents = Documents::new(Folder::new(data));
    match documents.adopt(TERMINATIONS) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(documents),
    }
}

/// Whether only this machine can reach an address.
fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
