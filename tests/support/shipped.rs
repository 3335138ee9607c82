//! What is known of the shipped scripts beside what their folders tell.

/// Modules of shipped scripts, which are no promise to others: they are tested through their scripts.
pub const HELPERS: [&str; 15] = [
    "access_log",
    "apache_log_format",
    "cbuf_changes",
    "date_time_grammars",
    "date_time_strftime",
    "field_graph",
    "graph",
    "ip_address_grammars",
    "lazy",
    "log_format",
    "nginx_error_log",
    "nginx_log_format",
    "slow_query",
    "syslog_words",
    "user_agent",
];
