"""How faithful each operation of the local AWS is, and after which page of AWS's it was made.

`docs/local-aws.md` shows these tables (`python -m tests.sandbox.page` writes them); a test holds them to the handlers
that there are and to the calls that fargatectl makes.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """Operations that are alike (their names, with spaces between): what is as on AWS, what is simpler or absent."""

    names: str
    faithful: str
    simpler: str = ""

    @property
    def operations(self) -> tuple[str, ...]:
        """The names of the operations."""
        return tuple(self.names.split())


@dataclass(frozen=True, slots=True)
class Service:
    """A service by its title and botocore's name; `ours` rows have handlers, moto answers those of `moto` alone."""

    title: str
    name: str
    source: str
    ours: tuple[Row, ...] = ()
    moto: tuple[Row, ...] = ()


SERVICES = (
    Service(
        "ECS",
        "ecs",
        "ECS API Reference; ECS developer guide",
        (
            Row(
                "CreateCluster DescribeClusters ListClusters UpdateCluster UpdateClusterSettings DeleteCluster "
                "PutClusterCapacityProviders DescribeCapacityProviders",
                "Idempotent creates, INACTIVE clusters, settings on request, busy while providers change",
                "Only Fargate's two providers; no container instances; INACTIVE clusters are never purged",
            ),
            Row(
                "RegisterTaskDefinition DescribeTaskDefinition ListTaskDefinitions ListTaskDefinitionFamilies "
                "DeregisterTaskDefinition DeleteTaskDefinitions",
                "Fargate's rules, canonical form, a revision for each call",
                "A deleted revision stays DELETE_IN_PROGRESS; deregistering works at once, without its ten minutes",
            ),
            Row(
                "CreateService UpdateService DeleteService DescribeServices ListServices",
                "What starts a deployment, DRAINING, events, pages of ten, defaults; all four strategies",
                "Tasks are not rebalanced over zones; no DAEMON",
            ),
            Row(
                "ListServiceDeployments DescribeServiceDeployments DescribeServiceRevisions StopServiceDeployment "
                "ContinueServiceDeployment",
                "States, circuit breaker, alarms and their bake time, rollback to the last completed deployment; "
                "stages, weights moved in the rule and back, hooks that pause, their timeouts",
                "A hook's function is not called: it says yes, or no where that is set; old tasks that die stay dead",
            ),
            Row(
                "RunTask StopTask ListTasks DescribeTasks",
                "States with their durations, stop codes and reasons, network interfaces, an hour of stopped tasks",
                "No container runs: a job ends by itself after five seconds with code 0, or as its image's tag says",
            ),
            Row(
                "TagResource UntagResource ListTagsForResource",
                "All kinds, tags kept or taken one by one",
                "No permission to tag is asked for",
            ),
            Row(
                "PutAccountSetting PutAccountSettingDefault ListAccountSettings",
                "`containerInsights` is the default of new clusters",
                "The other settings are kept and change nothing",
            ),
        ),
    ),
    Service(
        "Elastic Load Balancing",
        "elbv2",
        "ELB v2 API Reference; Application Load Balancer guide",
        (
            Row(
                "CreateLoadBalancer DescribeLoadBalancers DeleteLoadBalancer SetSecurityGroups SetSubnets "
                "SetIpAddressType",
                "Idempotent creates, provisioning for 90 seconds, interfaces that hold their groups for a while",
                "Never `failed` or `active_impaired`; Application Load Balancers only",
            ),
            Row(
                "CreateTargetGroup DescribeTargetGroups ModifyTargetGroup DeleteTargetGroup",
                "Idempotent creates, the load balancers that use a group now, ranges of health checks, pages",
                "moto checks names",
            ),
            Row(
                "RegisterTargets DeregisterTargets DescribeTargetHealth",
                "initial, healthy, unhealthy, unused, draining, over time; security groups",
                "Only what ECS registers is checked; other targets pass",
            ),
            Row(
                "CreateListener ModifyListener DescribeListeners DeleteListener AddListenerCertificates "
                "DescribeListenerCertificates RemoveListenerCertificates",
                "Idempotent creates, issued certificates, canonical actions, SNI certificates stay",
                "No mutual TLS",
            ),
            Row(
                "CreateRule ModifyRule DescribeRules DeleteRule SetRulePriorities",
                "Order, swapped priorities, both forms of conditions, quotas",
                "Characters of paths and headers are not looked at",
            ),
            Row(
                "DescribeLoadBalancerAttributes ModifyLoadBalancerAttributes DescribeTargetGroupAttributes "
                "ModifyTargetGroupAttributes",
                "All attributes with their defaults",
                "Load balancers write no logs into their buckets",
            ),
            Row(
                "DescribeTags AddTags",
                "Twenty at once, none of what is gone; fifty tags",
                "Tags that were there before are not counted",
            ),
        ),
        (
            Row(
                "RemoveTags",
                "What is kept and shown",
            ),
        ),
    ),
    Service(
        "Application Auto Scaling",
        "application-autoscaling",
        "Application Auto Scaling API Reference",
        (
            Row(
                "RegisterScalableTarget DeregisterScalableTarget DescribeScalableTargets",
                "Moves the count into its bounds; takes policies along",
                "Only services of ECS",
            ),
            Row(
                "PutScalingPolicy DeleteScalingPolicy DescribeScalingPolicies DescribeScalingActivities",
                "Alarms of target tracking come and go, ten policies a page",
                "No metric moves: nothing scales but by `count`, and by an alarm of a step policy",
            ),
            Row(
                "PutScheduledAction DeleteScheduledAction DescribeScheduledActions",
                "What an update leaves out is deleted; expressions and time zones",
                "Due by `scheduled_action` alone",
            ),
            Row(
                "TagResource UntagResource ListTagsForResource",
                "Tags of scalable targets",
            ),
        ),
    ),
    Service(
        "EventBridge Scheduler",
        "scheduler",
        "EventBridge Scheduler API Reference; EventBridge Scheduler user guide",
        (
            Row(
                "CreateScheduleGroup GetScheduleGroup DeleteScheduleGroup ListScheduleGroups",
                "Client tokens; a group goes with its schedules",
                "Gone at once, never DELETING",
            ),
            Row(
                "CreateSchedule UpdateSchedule GetSchedule DeleteSchedule ListSchedules",
                "Expressions, time zones, a role that Scheduler can assume now, defaults; an update replaces all",
                "Due by `schedule` alone; runs tasks, and no other targets",
            ),
            Row("TagResource UntagResource ListTagsForResource", "Groups alone carry tags"),
        ),
    ),
    Service(
        "Cloud Map",
        "servicediscovery",
        "Cloud Map API Reference",
        (
            Row(
                "CreatePrivateDnsNamespace CreatePublicDnsNamespace CreateHttpNamespace "
                "UpdatePrivateDnsNamespace UpdatePublicDnsNamespace UpdateHttpNamespace DeleteNamespace "
                "GetNamespace ListNamespaces GetOperation ListOperations",
                "Operations that take their time and FAIL: unknown VPC, overlapping zone",
                "Only equal names overlap; a VPC's DNS settings are not looked at",
            ),
            Row(
                "CreateService UpdateService DeleteService GetService ListServices",
                "Unique names, destructive updates, ResourceInUse",
                "Route 53 health checks are not made",
            ),
            Row(
                "RegisterInstance DeregisterInstance GetInstance ListInstances DiscoverInstances "
                "UpdateInstanceCustomHealthStatus GetInstancesHealthStatus",
                "What ECS registers and takes out, five seconds late",
                "No DNS records are written",
            ),
            Row(
                "TagResource UntagResource ListTagsForResource",
                "Namespaces and services",
            ),
        ),
    ),
    Service(
        "EC2",
        "ec2",
        "EC2 API Reference",
        (
            Row(
                "CreateSecurityGroup DeleteSecurityGroup",
                "Names, descriptions, DependencyViolation by interfaces and by rules",
            ),
            Row(
                "AuthorizeSecurityGroupIngress AuthorizeSecurityGroupEgress RevokeSecurityGroupIngress "
                "RevokeSecurityGroupEgress",
                "Canonical rules, sixty of them, revoked whatever their description",
                "VPCs are never peered",
            ),
            Row(
                "DescribeVpcs DescribeSubnets DescribeRouteTables DescribeVpcEndpoints "
                "DescribeSecurityGroups DescribeNetworkInterfaces",
                "What is kept and shown, filters, pages, malformed ids",
                "Endpoints and NAT gateways are there at once",
            ),
        ),
        (
            Row(
                "CreateTags DeleteTags DescribeTags DescribeVpcAttribute ModifyVpcAttribute",
                "What is kept and shown; DNS hostnames are off in a new VPC",
            ),
        ),
    ),
    Service(
        "IAM",
        "iam",
        "IAM API Reference; IAM user guide",
        (
            Row(
                "CreateRole UpdateAssumeRolePolicy TagRole DeleteRole ListRoles CreateServiceLinkedRole",
                "Trust policies are checked, new roles are assumable later, service-linked roles",
                "Conditions are taken as met; nobody is denied anything but tasks",
            ),
            Row(
                "PutRolePolicy AttachRolePolicy PutRolePermissionsBoundary GetPolicy GetPolicyVersion "
                "ListPolicyVersions ListEntitiesForPolicy",
                "Sizes and numbers, AWS's managed policies",
                "Boundaries do not limit what a task's role may do",
            ),
        ),
        (
            Row(
                "GetRole GetRolePolicy GetAccountAuthorizationDetails ListRolePolicies "
                "ListAttachedRolePolicies ListRoleTags UntagRole DeleteRolePolicy DetachRolePolicy "
                "UpdateRole DeleteRolePermissionsBoundary",
                "What is kept and shown, NoSuchEntity",
                "Seen at once: reads never lag",
            ),
        ),
    ),
    Service(
        "ECR",
        "ecr",
        "ECR API Reference",
        (
            Row(
                "DescribeImages",
                "Tags and digests, of this and other accounts and Regions",
                "Policies of other accounts' repositories are not asked; no layers",
            ),
        ),
        (
            Row(
                "BatchGetImage",
                "Manifests",
            ),
        ),
    ),
    Service(
        "Secrets Manager",
        "secretsmanager",
        "Secrets Manager API Reference",
        (
            Row(
                "CreateSecret PutSecretValue UpdateSecret DeleteSecret RotateSecret TagResource UntagResource",
                "Scheduled deletion, names that are free a little later",
                "moto keeps versions; nothing rotates; dates are the machine's",
            ),
        ),
        (
            Row(
                "DescribeSecret GetSecretValue ListSecrets RestoreSecret",
                "Versions, stages, DeletedDate",
                "Seen at once; the same token with another value passes",
            ),
        ),
    ),
    Service(
        "CloudWatch Logs",
        "logs",
        "CloudWatch Logs API Reference",
        (
            Row(
                "CreateLogGroup DescribeLogGroups DeleteLogGroup PutRetentionPolicy AssociateKmsKey DisassociateKmsKey",
                "Names, AWS's numbers of days, classes, keys by ARN; tasks write a few lines",
                "Nothing expires; keys are kept only",
            ),
            Row("ListTagsForResource TagResource UntagResource", "Tags by the ARN without its asterisk"),
            Row(
                "StartQuery GetQueryResults StopQuery DescribeQueries",
                "Scheduled, Running, Complete within four seconds; parts of an answer while it runs; malformed queries",
                "Of the language `fields`, `display`, `filter`, `parse`, `stats`, `sort` and `limit`; no functions",
            ),
        ),
        (
            Row("DeleteRetentionPolicy", "What is kept and shown"),
            Row(
                "DescribeLogStreams GetLogEvents FilterLogEvents",
                "What tasks wrote, by time and by words",
                "JSON patterns match everything",
            ),
        ),
    ),
    Service(
        "CloudWatch",
        "cloudwatch",
        "CloudWatch API Reference; CloudWatch user guide",
        (
            Row(
                "PutMetricAlarm PutCompositeAlarm DescribeAlarms DeleteAlarms SetAlarmState EnableAlarmActions "
                "DisableAlarmActions",
                "INSUFFICIENT_DATA first, states that stay when settings change, rules of composite alarms, step "
                "scaling and deployments that heed them",
                "No metric moves: states change by `alarm` and SetAlarmState alone, but for alarms that take missing "
                "data as good; nobody is notified",
            ),
            Row(
                "PutDashboard GetDashboard ListDashboards DeleteDashboards",
                "Bodies are checked, deleted all or none",
                "Of widgets only type, place and Region are looked at; no warnings",
            ),
            Row(
                "GetMetricData",
                "CPU and memory of services as Container Insights counts them, once a minute, while tasks run and the "
                "cluster records",
                "The values are made up; of other metrics moto knows what was put there; no expressions",
            ),
            Row("TagResource UntagResource ListTagsForResource", "Alarms and dashboards"),
        ),
    ),
    Service(
        "SSM",
        "ssm",
        "Systems Manager API Reference",
        (
            Row(
                "GetParameter GetParameters GetParametersByPath PutParameter AddTagsToResource",
                "Dates on the local AWS's clock",
                "moto checks the rest; a deleted name is free at once",
            ),
        ),
        (
            Row(
                "DescribeParameters DeleteParameter DeleteParameters",
                "Names, versions, filters, pages",
                "Tiers are kept only",
            ),
        ),
    ),
    Service(
        "Tagging",
        "resourcegroupstaggingapi",
        "Resource Groups Tagging API Reference",
        (
            Row(
                "GetResources",
                "Every kind that fargatectl makes, except roles; pages; a lag by `tagging_lag`",
                "Without that setting there is no lag",
            ),
        ),
    ),
    Service(
        "Route 53",
        "route53",
        "Route 53 API Reference",
        (
            Row(
                "CreateHostedZone GetHostedZone DeleteHostedZone ListHostedZones ListHostedZonesByName "
                "ListHostedZonesByVPC GetChange",
                "Caller references, the records that a zone needs, private zones, INSYNC after half a minute",
                "No name resolves; no delegation sets, no health checks",
            ),
            Row(
                "ChangeResourceRecordSets ListResourceRecordSets",
                "Whole batches, canonical names, aliases of load balancers, order, pages",
                "Values are taken as they are; routing policies are kept only",
            ),
            Row("ChangeTagsForResource ListTagsForResource ListTagsForResources", "Tags of zones"),
        ),
    ),
    Service(
        "ACM",
        "acm",
        "ACM API Reference; ACM user guide",
        (
            Row(
                "RequestCertificate DescribeCertificate ListCertificates DeleteCertificate AddTagsToCertificate",
                "Issued a minute after its records are in a zone of the account; tokens; in use by listeners",
                "Mails are never answered; no renewal; in use for half a minute after a listener let it go",
            ),
        ),
        (
            Row(
                "RemoveTagsFromCertificate ListTagsForCertificate ImportCertificate",
                "What is kept and shown",
            ),
        ),
    ),
    Service(
        "S3",
        "s3",
        "S3 API Reference",
        (),
        (
            Row(
                "CreateBucket GetBucketLocation GetBucketPolicy PutBucketPolicy GetBucketEncryption HeadBucket "
                "HeadObject PutObject",
                "What is kept and shown",
                "Bucket policies are looked at for access logs alone; tasks read files by the rights of their roles",
            ),
        ),
    ),
    Service(
        "EFS",
        "efs",
        "EFS API Reference; EFS user guide",
        (),
        (
            Row(
                "DescribeFileSystems DescribeAccessPoints CreateFileSystem CreateAccessPoint CreateMountTarget "
                "DescribeMountTargets DescribeMountTargetSecurityGroups DeleteMountTarget",
                "What is kept and shown; tasks mount by zone, port 2049 and access point",
                "Available at once; policies of file systems are not looked at",
            ),
        ),
    ),
    Service(
        "SNS",
        "sns",
        "SNS API Reference",
        (),
        (
            Row(
                "CreateTopic GetTopicAttributes ListTopics",
                "What is kept and shown, NotFound",
                "Nobody is notified; policies of topics are not looked at",
            ),
        ),
    ),
    Service(
        "STS",
        "sts",
        "STS API Reference",
        (
            Row(
                "GetCallerIdentity",
                "The account of the access key",
                "A user `local`, without policies",
            ),
        ),
    ),
)
