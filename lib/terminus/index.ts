export {
  AuthHealthIndicator,
  type AuthHealthDetails,
  type AuthHealthResult,
  type IssuerHealth,
} from './auth-health.indicator.js';
