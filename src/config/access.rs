//! Who may look, as far as the file says it.

/// What the file says of who may look and manage.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AccessRule {
    /// `auto`: with a password, once the owner has chosen one. Until then everybody on this machine where it listens to
    /// nobody else; and nobody where it listens to the network, until the owner has chosen.
    #[default]
    Auto,
    /// `open`: everybody who reaches it.
    Open,
    /// `password`: whoever knows the password, on this machine too.
    Password,
}

impl AccessRule {
    /// All of them, in the order of the documentation.
    pub const ALL: [Self; 3] = [Self::Auto, Self::Open, Self::Password];

    /// Its name in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Open => "open",
            Self::Password => "password",
        }
    }
}
