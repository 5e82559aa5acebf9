//! `estoile lab`: every known attack, tried by a relay that cheats.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// Let a hostile relay try everything that has ever worked against a messenger.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Lab {
    #[command(subcommand)]
    pub(crate) action: Option<LabAction>,
    #[command(flatten)]
    pub(crate) common: LabCommon,
    /// Write one page with everything into this file, to show to others
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
}

/// What both forms take.
#[derive(Debug, Args)]
pub(crate) struct LabCommon {
    /// One JSON object a row
    #[arg(long)]
    pub(crate) json: bool,
    /// Everything that is drawn comes from this number
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
}

/// What the laboratory does beside trying everything.
#[derive(Debug, Subcommand)]
pub(crate) enum LabAction {
    /// Try one attack
    Run {
        /// Its number: A1 to A22, B1 to B24, C1 to C7, D1 to D5
        attack: String,
        /// Tell step by step what everybody did and saw
        #[arg(long)]
        explain: bool,
        #[command(flatten)]
        common: LabCommon,
    },
}
