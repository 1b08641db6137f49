export { amqpAnswers } from "./amqp-answers.js";
export { connectRabbitmqNode, type RabbitmqNode } from "./rabbitmq-node.js";
export { startRabbitmqCluster } from "./start-cluster.js";
export { startRabbitmq } from "./start-rabbitmq.js";
