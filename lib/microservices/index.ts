export { attachToken, type MessageClient } from './attach-token.js';
export { microserviceContext, type MicroserviceContextOptions } from './microservice.context.js';
