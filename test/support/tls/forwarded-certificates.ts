import type { CertificateHeaderPreset } from 'nestjs-resilient-auth';

/** One client certificate, and how each proxy passes it on. Its base64 has `+`, `/` and `=`, its subject all quoting. */
export const forwarded = {
  thumbprint: 'b8X1rwbDCOzR08C1wjwmWL8OjxroRxwXXZaawzrm6mM',
  pem: [
    '-----BEGIN CERTIFICATE-----',
    'MIIBMDCB16ADAgECAgkBBgq5ilhq8GkwCgYIKoZIzj0EAwIwHjEcMBoGA1UEAwwT',
    'T3JkZXJzLCBDbGllbnQ7ICJBIjAeFw0yMDAxMDEwMDAwMDBaFw00OTEyMzEyMzU5',
    'NTlaMB4xHDAaBgNVBAMME09yZGVycywgQ2xpZW50OyAiQSIwWTATBgcqhkjOPQIB',
    'BggqhkjOPQMBBwNCAARa/EO0W+rgXemXhyTFy69rupj5CgQPS/7+MXYo5ZpVZ/XH',
    '0WRKYcnssITaVcr5UsUjlo+z0jd/MdEou6aONGvhMAoGCCqGSM49BAMCA0gAMEUC',
    'IQCVSG+gTg9pIbtkIwql2WQPdRqO2zEqQYBb4YHL/v9cAwIgCDLNh2YklL0J3ulh',
    'IR/Yv7CCP2IfNIVUA1rIXriuUQ0=',
    '-----END CERTIFICATE-----',
    '',
  ].join('\n'),
};

/** What a proxy sends to the API. */
export const proxyHeaders: Readonly<Record<CertificateHeaderPreset, Readonly<Record<string, string>>>> = {
  // RFC 9440 §2.2.
  rfc9440: {
    'Client-Cert':
      ':MIIBMDCB16ADAgECAgkBBgq5ilhq8GkwCgYIKoZIzj0EAwIwHjEcMBoGA1UEAwwTT3JkZXJzLCBDbGllbnQ7ICJBIjAeFw0yMDAxMDEwMDAwMDBaFw00OTEyMzEyMzU5NTlaMB4xHDAaBgNVBAMME09yZGVycywgQ2xpZW50OyAiQSIwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARa/EO0W+rgXemXhyTFy69rupj5CgQPS/7+MXYo5ZpVZ/XH0WRKYcnssITaVcr5UsUjlo+z0jd/MdEou6aONGvhMAoGCCqGSM49BAMCA0gAMEUCIQCVSG+gTg9pIbtkIwql2WQPdRqO2zEqQYBb4YHL/v9cAwIgCDLNh2YklL0J3ulhIR/Yv7CCP2IfNIVUA1rIXriuUQ0=:',
  },
  // Recorded from nginx 1.22: `proxy_set_header SSL-Client-Cert $ssl_client_escaped_cert`.
  nginx: {
    'SSL-Client-Cert':
      '-----BEGIN%20CERTIFICATE-----%0AMIIBMDCB16ADAgECAgkBBgq5ilhq8GkwCgYIKoZIzj0EAwIwHjEcMBoGA1UEAwwT%0AT3JkZXJzLCBDbGllbnQ7ICJBIjAeFw0yMDAxMDEwMDAwMDBaFw00OTEyMzEyMzU5%0ANTlaMB4xHDAaBgNVBAMME09yZGVycywgQ2xpZW50OyAiQSIwWTATBgcqhkjOPQIB%0ABggqhkjOPQMBBwNCAARa%2FEO0W%2BrgXemXhyTFy69rupj5CgQPS%2F7%2BMXYo5ZpVZ%2FXH%0A0WRKYcnssITaVcr5UsUjlo%2Bz0jd%2FMdEou6aONGvhMAoGCCqGSM49BAMCA0gAMEUC%0AIQCVSG%2BgTg9pIbtkIwql2WQPdRqO2zEqQYBb4YHL%2Fv9cAwIgCDLNh2YklL0J3ulh%0AIR%2FYv7CCP2IfNIVUA1rIXriuUQ0%3D%0A-----END%20CERTIFICATE-----%0A',
  },
  // In the form of Envoy's `APPEND_FORWARD`: an element that came with the request, and Envoy's own.
  envoy: {
    'X-Forwarded-Client-Cert':
      'By=spiffe://mesh/ns/default/sa/edge;Hash=0000000000000000000000000000000000000000000000000000000000000000;Subject="CN=first hop, O=a;b",By=spiffe://mesh/ns/default/sa/orders;Hash=6fc5f5af06c308ecd1d3c0b5c23c2658bf0e8f1ae8471c175d969ac33ae6ea63;Cert="-----BEGIN%20CERTIFICATE-----%0AMIIBMDCB16ADAgECAgkBBgq5ilhq8GkwCgYIKoZIzj0EAwIwHjEcMBoGA1UEAwwT%0AT3JkZXJzLCBDbGllbnQ7ICJBIjAeFw0yMDAxMDEwMDAwMDBaFw00OTEyMzEyMzU5%0ANTlaMB4xHDAaBgNVBAMME09yZGVycywgQ2xpZW50OyAiQSIwWTATBgcqhkjOPQIB%0ABggqhkjOPQMBBwNCAARa%2FEO0W%2BrgXemXhyTFy69rupj5CgQPS%2F7%2BMXYo5ZpVZ%2FXH%0A0WRKYcnssITaVcr5UsUjlo%2Bz0jd%2FMdEou6aONGvhMAoGCCqGSM49BAMCA0gAMEUC%0AIQCVSG%2BgTg9pIbtkIwql2WQPdRqO2zEqQYBb4YHL%2Fv9cAwIgCDLNh2YklL0J3ulh%0AIR%2FYv7CCP2IfNIVUA1rIXriuUQ0%3D%0A-----END%20CERTIFICATE-----%0A";Subject="CN=Orders\\, Client\\; \\"A\\"";URI=spiffe://mesh/ns/default/sa/client',
  },
  // Passthrough mode: the chain as percent-encoded PEM, with `+`, `=` and `/` as they are.
  'aws-alb': {
    'X-Amzn-Mtls-Clientcert':
      '-----BEGIN%20CERTIFICATE-----%0AMIIBMDCB16ADAgECAgkBBgq5ilhq8GkwCgYIKoZIzj0EAwIwHjEcMBoGA1UEAwwT%0AT3JkZXJzLCBDbGllbnQ7ICJBIjAeFw0yMDAxMDEwMDAwMDBaFw00OTEyMzEyMzU5%0ANTlaMB4xHDAaBgNVBAMME09yZGVycywgQ2xpZW50OyAiQSIwWTATBgcqhkjOPQIB%0ABggqhkjOPQMBBwNCAARa/EO0W+rgXemXhyTFy69rupj5CgQPS/7+MXYo5ZpVZ/XH%0A0WRKYcnssITaVcr5UsUjlo+z0jd/MdEou6aONGvhMAoGCCqGSM49BAMCA0gAMEUC%0AIQCVSG+gTg9pIbtkIwql2WQPdRqO2zEqQYBb4YHL/v9cAwIgCDLNh2YklL0J3ulh%0AIR/Yv7CCP2IfNIVUA1rIXriuUQ0=%0A-----END%20CERTIFICATE-----%0A-----BEGIN%20CERTIFICATE-----%0AMIIBIjCByaADAgECAgkBFwnha+LE1FQwCgYIKoZIzj0EAwIwFzEVMBMGA1UEAwwM%0AaW50ZXJtZWRpYXRlMB4XDTIwMDEwMTAwMDAwMFoXDTQ5MTIzMTIzNTk1OVowFzEV%0AMBMGA1UEAwwMaW50ZXJtZWRpYXRlMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE%0ARihROJLpos4MPBb7q7h12gnO+fC13/fQH9nr6206gztEHLjbOwz8d4PZVhxlp82Y%0A39KvZoCvYb968gOVIATsBjAKBggqhkjOPQQDAgNIADBFAiEAjpY5JsBgc8hnr7cr%0AZRy1WWe/9/eMePMVXLKQ0j8C388CIE3yOGCBjgZ/vRRJjofE827G2Eo+nKmOZR1B%0A6mjsA22D%0A-----END%20CERTIFICATE-----%0A',
  },
  // `passTLSClientCert` with `pem: true`: the chain as base64, without the delimiters of PEM.
  traefik: {
    'X-Forwarded-Tls-Client-Cert':
      'MIIBMDCB16ADAgECAgkBBgq5ilhq8GkwCgYIKoZIzj0EAwIwHjEcMBoGA1UEAwwTT3JkZXJzLCBDbGllbnQ7ICJBIjAeFw0yMDAxMDEwMDAwMDBaFw00OTEyMzEyMzU5NTlaMB4xHDAaBgNVBAMME09yZGVycywgQ2xpZW50OyAiQSIwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARa/EO0W+rgXemXhyTFy69rupj5CgQPS/7+MXYo5ZpVZ/XH0WRKYcnssITaVcr5UsUjlo+z0jd/MdEou6aONGvhMAoGCCqGSM49BAMCA0gAMEUCIQCVSG+gTg9pIbtkIwql2WQPdRqO2zEqQYBb4YHL/v9cAwIgCDLNh2YklL0J3ulhIR/Yv7CCP2IfNIVUA1rIXriuUQ0=,MIIBIjCByaADAgECAgkBFwnha+LE1FQwCgYIKoZIzj0EAwIwFzEVMBMGA1UEAwwMaW50ZXJtZWRpYXRlMB4XDTIwMDEwMTAwMDAwMFoXDTQ5MTIzMTIzNTk1OVowFzEVMBMGA1UEAwwMaW50ZXJtZWRpYXRlMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAERihROJLpos4MPBb7q7h12gnO+fC13/fQH9nr6206gztEHLjbOwz8d4PZVhxlp82Y39KvZoCvYb968gOVIATsBjAKBggqhkjOPQQDAgNIADBFAiEAjpY5JsBgc8hnr7crZRy1WWe/9/eMePMVXLKQ0j8C388CIE3yOGCBjgZ/vRRJjofE827G2Eo+nKmOZR1B6mjsA22D',
  },
  // `client_certificate_forwarding`, and the managed transform "Add TLS client auth headers".
  cloudflare: {
    'Cf-Client-Cert-Der-Base64':
      'MIIBMDCB16ADAgECAgkBBgq5ilhq8GkwCgYIKoZIzj0EAwIwHjEcMBoGA1UEAwwTT3JkZXJzLCBDbGllbnQ7ICJBIjAeFw0yMDAxMDEwMDAwMDBaFw00OTEyMzEyMzU5NTlaMB4xHDAaBgNVBAMME09yZGVycywgQ2xpZW50OyAiQSIwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARa/EO0W+rgXemXhyTFy69rupj5CgQPS/7+MXYo5ZpVZ/XH0WRKYcnssITaVcr5UsUjlo+z0jd/MdEou6aONGvhMAoGCCqGSM49BAMCA0gAMEUCIQCVSG+gTg9pIbtkIwql2WQPdRqO2zEqQYBb4YHL/v9cAwIgCDLNh2YklL0J3ulhIR/Yv7CCP2IfNIVUA1rIXriuUQ0=',
    'Cf-Cert-Presented': 'true',
    'Cf-Cert-Verified': 'true',
    'Cf-Cert-Revoked': 'false',
  },
};
