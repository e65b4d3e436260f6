"""Scaling of the services by KEDA, from the catalogue's queues.

A service gets another process when its queues are long (unacknowledged messages included), or when it handles events
late. A quiet service has no age: the query then yields 0, but nothing when Prometheus lost the process, which must not
be taken for quiet and scale down (`ignoreNullValues: "false"`).
"""

from contracts.catalogue import SERVICES
from deploy.kubernetes.manifests import Manifest, manifest
from deploy.kubernetes.topology import VHOST
from services.chassis.messaging.topology import listened_queues

PROMETHEUS = "http://prometheus-operated.monitoring.svc:9090"
MESSAGES_PER_PROCESS = 2_000
LATE_SECONDS = 20
FEWEST, MOST = 2, 4
WHEN_UNKNOWN = 2
"""Processes while neither queues nor ages can be read, unless there are more already."""


def scaling() -> list[Manifest]:
    """Return the object of every service."""
    return [
        manifest(
            "keda.sh/v1alpha1",
            "ScaledObject",
            service,
            spec={
                "scaleTargetRef": {"name": service},
                "minReplicaCount": FEWEST,
                "maxReplicaCount": MOST,
                "pollingInterval": 15,
                "cooldownPeriod": 300,
                "fallback": {
                    "failureThreshold": 4,
                    "replicas": WHEN_UNKNOWN,
                    "behavior": "currentReplicasIfHigher",
                },
                "advanced": {
                    "horizontalPodAutoscalerConfig": {
                        "behavior": {
                            "scaleDown": {
                                "stabilizationWindowSeconds": 300,
                                "policies": [{"type": "Pods", "value": 1, "periodSeconds": 120}],
                            }
                        }
                    }
                },
                "triggers": [*map(_by_length, listened_queues(service)), _by_age(service)],
            },
        )
        for service in SERVICES
    ]


def age_query(service: str) -> str:
    """Return the age in seconds at which a service handles 95 % of its events, 0 while there are none."""
    of_service = f'service="{service}"'
    return (
        f"(histogram_quantile(0.95, sum by (le) (rate(comptoir_event_age_seconds_bucket{{{of_service}}}[2m]))) >= 0) "
        f'or (0 * max(up{{job="comptoir", program="{service}"}} == 1))'
    )


def _by_length(queue: str) -> Manifest:
    return {
        "type": "rabbitmq",
        "metricType": "AverageValue",
        "metadata": {
            "protocol": "http",
            "vhostName": VHOST,
            "queueName": queue,
            "mode": "QueueLength",
            "value": str(MESSAGES_PER_PROCESS),
            "excludeUnacknowledged": "false",
        },
        "authenticationRef": {"name": "comptoir-broker"},
    }


def _by_age(service: str) -> Manifest:
    return {
        "type": "prometheus",
        "metricType": "Value",
        "metadata": {
            "serverAddress": PROMETHEUS,
            "query": age_query(service),
            "threshold": str(LATE_SECONDS),
            "ignoreNullValues": "false",
        },
    }
