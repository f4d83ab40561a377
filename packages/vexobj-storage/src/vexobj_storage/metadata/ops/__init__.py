"""The domain operations: each public function here is one transaction over a `Tx`."""
