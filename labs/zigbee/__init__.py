"""The lab of Zigbee2MQTT: the real program, a real broker, and Zigbee devices without a radio."""
