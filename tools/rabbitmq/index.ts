export { amqpAnswers } from "./amqp-answers.js";
export { connectRabbitmqNode, type RabbitmqNode } from "./rabbitmq-node.js";
export { startRabbitmq } from "./start-rabbitmq.js";
