-- The first database and the account come from the image's own variables.
CREATE DATABASE orders;
GRANT ALL ON orders.* TO 'shop'@'%';
