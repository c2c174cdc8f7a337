import { Field, InputType, Int, ObjectType } from '@nestjs/graphql';

@ObjectType('Order')
export class OrderObject {
  @Field(() => Int)
  id = 0;

  @Field(() => String)
  item = '';

  @Field(() => Int)
  quantity = 0;

  @Field(() => String)
  placedBy = '';
}

@InputType('NewOrder')
export class NewOrderInput {
  @Field(() => String)
  item = '';

  @Field(() => Int)
  quantity = 0;
}
