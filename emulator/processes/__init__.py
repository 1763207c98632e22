"""Programs that users bring, run as processes of this machine: what EAS and DSW have in common."""
