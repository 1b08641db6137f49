/** The vitest project of the tests that share one RabbitMQ node. */
export const BROKER_PROJECT = "broker";
/** Of those that share it one after the other. */
export const LONE_BROKER_PROJECT = "broker-lone";
export const BROKER_PROJECTS: readonly string[] = [BROKER_PROJECT, LONE_BROKER_PROJECT];

/** The port where turns with the node that a whole run shares are to be had. */
export const BROKER_TURNS_VARIABLE = "FAIRLEAD_TEST_BROKER_TURNS";
/** Set for those that want it for themselves. */
export const BROKER_ALONE_VARIABLE = "FAIRLEAD_TEST_BROKER_ALONE";
/** Where the tests find the node. */
export const RABBITMQ_URL_VARIABLE = "FAIRLEAD_TEST_RABBITMQ_URL";
/** For `connectRabbitmqNode`: killing it, freezing it, asking `rabbitmqctl`. */
export const RABBITMQ_STATE_VARIABLE = "FAIRLEAD_TEST_RABBITMQ_STATE";
