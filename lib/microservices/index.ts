export { attachToken } from './attach-token.js';
export { microserviceContext, type MicroserviceContextOptions } from './microservice.context.js';
