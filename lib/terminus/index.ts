export { AuthHealthIndicator, type AuthHealthDetails, type IssuerHealth } from './auth-health.indicator.js';
