"""Where blob bytes live: stores that know ids and bytes, and nothing of buckets or keys."""
