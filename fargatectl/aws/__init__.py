"""The door to AWS: the only users of boto3, botocore and tenacity."""
