export { decodeBase64Der, decodeEscapedPem } from './mtls/headers/escaped-pem.js';
