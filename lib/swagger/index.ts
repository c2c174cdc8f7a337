export { documentAuthorization } from './document-authorization.js';
