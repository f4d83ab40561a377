"""Who, what and where: everything but the bytes, in one transactional store."""
