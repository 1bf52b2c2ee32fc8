"""The driver ``zigbee2mqtt``: Zigbee devices, through a Zigbee2MQTT and its MQTT broker.

``codec.py`` knows the words, ``exposes.py`` what a device can do, ``hub.py`` holds one link, ``locks.py`` and
``thermostats.py`` speak to devices. What can be believed of what is heard: docs/drivers/zigbee2mqtt.md.
"""
