/** What the reader's application has: blocks in the documents use it without declaring it. */
declare const issuer: string;
declare const audience: string;
/** The application's root module. */
declare class AppModule {}
declare class OrdersModule {}
