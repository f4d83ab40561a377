"""What both APIs share: identities, access, variants."""
