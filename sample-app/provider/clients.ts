/** A client of the embedded provider: confidential, with the `client_credentials` grant. */
export interface DemoClient {
  readonly id: string;
  readonly secret: string;
  readonly roles: readonly string[];
  /** How its user has logged in, just now. A real provider knows; these clients have no users. */
  readonly acr?: string;
}

export const scopes = ['orders:read', 'orders:write'];

/** An ordinary caller of the API. */
export const ordersCli: DemoClient = { id: 'orders-cli', secret: 'orders-cli-secret', roles: [] };

/** The same with the role `admin` in its tokens. */
export const ordersAdmin: DemoClient = {
  id: 'orders-admin',
  secret: 'orders-admin-secret',
  roles: ['admin'],
};

/** The same with a strong and recent login in its tokens. */
export const ordersTeller: DemoClient = {
  id: 'orders-teller',
  secret: 'orders-teller-secret',
  roles: [],
  acr: 'phr',
};

export const clients: readonly DemoClient[] = [ordersCli, ordersAdmin, ordersTeller];
