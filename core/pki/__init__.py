"""Public-key infrastructure without I/O: keys, certificates, CMS messages, SCEP messages."""
