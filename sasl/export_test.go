package sasl

// ScramMechanism is SCRAM-SHA-256 with the server's nonces from nonce.
func ScramMechanism(ks KeyStore, nonce func() string) Mechanism { return scramMechanism(ks, nonce) }
