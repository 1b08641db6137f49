/** The vitest project of the tests that share one RabbitMQ node. */
export const BROKER_PROJECT = "broker";

/** Where the tests find the node that a whole run shares. */
export const RABBITMQ_URL_VARIABLE = "FAIRLEAD_TEST_RABBITMQ_URL";
/** For `connectRabbitmqNode`: killing it, freezing it, asking `rabbitmqctl`. */
export const RABBITMQ_STATE_VARIABLE = "FAIRLEAD_TEST_RABBITMQ_STATE";
